"""Puts matching together."""

from services.chassis.assembly import assemble
from services.chassis.process import Service
from services.chassis.settings import load
from services.matching import api, consumers
from services.matching.commands.following_up import Patience
from services.matching.loops import Alerting, Encoding, FollowingUp, Labelling, Proposing, Vocabulary
from services.matching.settings import MatchingSettings


def build(settings: MatchingSettings | None = None) -> Service:
    """The service, not yet running."""
    settings = settings or load(MatchingSettings)
    return assemble(
        "matching",
        settings,
        routers=[api.router],
        consumers=consumers.consumers,
        only_shows=settings.federation_hub,
        loops=lambda db: [
            Proposing(
                db,
                seconds=settings.proposing_seconds,
                farthest_km=settings.farthest_km,
                meaning=settings.meaning,
            ),
            Vocabulary(db, seconds=settings.vocabulary_seconds),
            Labelling(db, seconds=settings.vocabulary_seconds),
            Alerting(
                db,
                seconds=settings.alerting_seconds,
                time_zone=settings.time_zone,
                a_day=settings.alerts_a_day,
            ),
            FollowingUp(
                db,
                seconds=settings.following_seconds,
                patience=Patience(days=settings.widen_after_days, farthest_km=settings.farthest_km),
            ),
            *([Encoding(db, seconds=settings.encoding_seconds)] if settings.meaning else []),
        ],
    )
