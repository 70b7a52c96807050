"""No route by which a role acts stays out of the trail."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from contracts.acts import ActRecorded
from contracts.registry import EVENTS
from services.booking.app import build as build_booking
from services.booking.settings import BookingSettings
from services.catalog.app import build as build_catalog
from services.catalog.settings import CatalogSettings
from services.chassis import names
from services.chassis.audit import ONES_OWN
from services.chassis.process import Service
from services.federation.app import build as build_federation
from services.federation.settings import FederationSettings
from services.identity.app import build as build_identity
from services.identity.consumers import consumers
from services.identity.settings import IdentitySettings
from services.matching.app import build as build_matching
from services.matching.settings import MatchingSettings
from services.notify.app import build as build_notify
from services.notify.settings import NotifySettings
from services.portal.security_words import ACTS, AREAS
from tests.instances import Instance

WITHOUT_ROLE = {
    "identity POST /sessions",
    "identity POST /sessions/second-step",
    "identity POST /sessions/end-others",
    "identity DELETE /sessions/current",
    "identity DELETE /sessions/{session_id}",
    "identity POST /tokens",
    "identity POST /invitations/accept",
    "identity POST /password-resets",
    "identity POST /password-resets/complete",
    "identity POST /email-confirmations",
    "matching PUT /outcomes/{key}",
}
"""Routes without a token: no role is known there; a password, or the secret of a mail, says who asks."""
ONLY_LOOKING = {
    "booking POST /bookings/series/check",
    "booking POST /resources/{offer_id}/preview",
    "federation POST /links/preview",
}
"""Routes that answer a question too long for an address, and change nothing: no transaction of theirs writes."""
_EXAMPLES = Path(__file__).resolve().parents[2] / "contracts" / "examples"
_OFFER = {"side": "offer", "kind": "machine", "title": "Découpeuse laser", "text": "60 × 40 cm, 80 W"}
_QUOTAS = {"category": "atelier", "quotas": [{"scope": "member", "per": "week", "unit": "hours", "most": 12}]}


def services_of(instance: Instance) -> list[Service]:
    return [
        build_identity(instance.settings(IdentitySettings)),
        build_catalog(instance.settings(CatalogSettings)),
        build_booking(instance.settings(BookingSettings)),
        build_matching(instance.settings(MatchingSettings)),
        build_notify(instance.settings(NotifySettings)),
        build_federation(instance.settings(FederationSettings, federation_allow_private=True, border_tls=False)),
    ]


def _writing(app: FastAPI, service: str) -> list[str]:
    """Routes that change something and may be used by virtue of a role."""
    found = [path for path, methods in app.openapi()["paths"].items() if set(methods) - {"get", "head"}]
    paths = [path.removeprefix(f"/api/{service}") for path in found if path.startswith("/api/")]
    return [path for path in paths if path.split("/")[1] not in ONES_OWN]


def acts_of(app: FastAPI, service: str) -> set[str]:
    """What the trail calls each act that somebody with a role can do in `service`."""
    found = {
        f"{service} {method.upper()} {path.removeprefix(f'/api/{service}')}"
        for path, methods in app.openapi()["paths"].items()
        for method in set(methods) - {"get", "head"}
        if path.startswith("/api/") and path.split("/")[3] not in ONES_OWN
    }
    return found - WITHOUT_ROLE - ONLY_LOOKING


async def test_every_act_has_a_name_for_people(instance: Instance) -> None:
    acts: set[str] = set()
    for service in services_of(instance):
        acts |= acts_of(service.app, service.name)
        assert service.database is not None
        await service.database.close()
    assert len(acts) > 40
    assert acts - ACTS.keys() == set(), "say it in services/portal/security_words.py, in three languages"
    assert ACTS.keys() - acts == set(), "nobody can do that any more"
    assert {act.partition(" ")[0] for act in acts} == AREAS.keys()


async def _acts(service: Service) -> list[ActRecorded]:
    assert service.database is not None
    async with service.database.reading() as session:
        rows = (await session.execute(sa.text("SELECT type, data FROM outbox ORDER BY id"))).all()
    read = [EVENTS[row.type].model_validate_json(row.data) for row in rows]
    return [event for event in read if isinstance(event, ActRecorded)]


async def test_every_service_by_which_a_role_acts_tells_of_it_and_identity_listens(instance: Instance) -> None:
    for service in services_of(instance):
        kind = f"{service.name}.act_recorded.v1"
        assert (kind in EVENTS) == bool(_writing(service.app, service.name)), service.name
        assert (kind in EVENTS) == (kind in consumers.subscriptions)
        assert service.database is not None
        await service.database.close()


@pytest.mark.parametrize(
    ("name", "method", "path", "form"),
    [
        ("catalog", "POST", "listings", _OFFER),
        ("booking", "PUT", "quotas", _QUOTAS),
        ("federation", "POST", "invitations", None),
    ],
)
async def test_acts_in_other_services_are_told_in_their_own_transaction(
    instance: Instance, name: str, method: str, path: str, form: Any
) -> None:
    services = {service.name: service for service in services_of(instance)}
    async with instance.client(services[name], instance.token(role="coordinator", name="Léa")) as lea:
        answer = await lea.request(method, path, json=form)
        assert answer.is_success, answer.text
        await lea.get(path)
    async with instance.client(services[name], instance.token(name="Ana")) as ana:
        await ana.request(method, path, json=form)
    (act,) = await _acts(services[name])
    assert (act.what, act.role) == (f"{method} /{path}", "coordinator")
    assert act.correlation_id == answer.headers["x-correlation-id"]
    example = json.loads((_EXAMPLES / f"{name}.act_recorded.v1.json").read_text(encoding="utf-8"))
    assert set(example) == set(act.model_dump())
    for service in services.values():
        assert service.database is not None
        await service.database.close()


def test_the_trail_leaves_the_account_of_whoever_asks_alone() -> None:
    assert {"me", "my"} <= ONES_OWN
    assert not ONES_OWN & {"members", "listings", "bookings", "links", *names.SERVICES}
