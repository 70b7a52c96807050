"""What can go wrong with a series, as the person is told."""

from collections.abc import Sequence
from typing import Any

from services.booking.domain.occurrences import Conflict
from services.booking.domain.requests import as_json
from services.chassis.problems import Language, Problem, Text


class SeriesHasConflicts(Problem):
    """Some dates cannot be; nothing was done. Carries `conflicts`, each with its reason and alternatives, and `free`.

    `free`: how many of the dates could be.
    """

    status = 409
    slug = "booking/series-has-conflicts"
    text = Text(
        fr="{count} date(s) de la série ne sont pas possibles. Rien n'a été enregistré.",
        en="{count} date(s) of the series are not possible. Nothing was saved.",
        nl="{count} data van de reeks zijn niet mogelijk. Er is niets bewaard.",
    )

    def __init__(self, conflicts: Sequence[Conflict], *, free: int) -> None:
        super().__init__(count=len(conflicts), free=free)
        self.conflicts = conflicts

    def body(self, language: Language, instance: str) -> dict[str, Any]:
        told = [conflict_as_json(conflict, language) for conflict in self.conflicts]
        return {**super().body(language, instance), "conflicts": told}


class MustAskOneByOne(Problem):
    """The other side has to agree to every new date: a whole series is not moved without."""

    status = 409
    slug = "booking/must-ask-one-by-one"
    text = Text(
        fr="L'autre personne doit accepter chaque nouvelle date : demandez le changement date par date.",
        en="The other person has to accept each new date: ask for the change date by date.",
        nl="De andere persoon moet elke nieuwe datum aanvaarden: vraag de wijziging datum per datum.",
    )


def conflict_as_json(conflict: Conflict, language: Language) -> dict[str, Any]:
    """What is told of one date that cannot be."""
    return {
        "date": conflict.occurrence.day.isoformat(),
        **as_json(conflict.occurrence.period),
        "code": conflict.code,
        "detail": conflict.detail(language),
        "alternatives": [as_json(span) for span in conflict.alternatives],
    }
