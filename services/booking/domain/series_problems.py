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
        fr="Certaines dates de la série ne sont pas possibles ({count}). Rien n'a été enregistré.",
        en="Some dates of the series are not possible ({count}). Nothing was saved.",
        nl="Sommige data van de reeks zijn niet mogelijk ({count}). Er is niets bewaard.",
    )

    def __init__(self, conflicts: Sequence[Conflict], *, free: int) -> None:
        super().__init__(count=len(conflicts), free=free)
        self.conflicts = conflicts

    def body(self, language: Language, instance: str) -> dict[str, Any]:
        told = [conflict_as_json(conflict, language) for conflict in self.conflicts]
        return {**super().body(language, instance), "conflicts": told}


class MustAskOneByOne(Problem):
    """New dates meet old ones of the same series so that both cannot be kept until it is decided."""

    status = 409
    slug = "booking/must-ask-one-by-one"
    text = Text(
        fr="Les nouvelles dates chevauchent les anciennes de la série : demandez le changement date par date.",
        en="The new dates overlap old ones of the series: ask for the change date by date.",
        nl="De nieuwe data overlappen oude data van de reeks: vraag de wijziging datum per datum.",
    )


class AnsweredTogether(Problem):
    """The change was asked for several dates of a series: one answer is for all. Carries `series_id`."""

    status = 409
    slug = "booking/answered-together"
    text = Text(
        fr="Ce changement vaut pour plusieurs dates : répondez pour toutes, depuis la page de la série.",
        en="This change is for several dates: answer for all of them, on the page of the series.",
        nl="Deze wijziging geldt voor meerdere data: antwoord voor alle, op de pagina van de reeks.",
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
