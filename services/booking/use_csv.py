"""Uses as CSV: UTF-8 with a mark for spreadsheets, semicolons, numbers as the language writes them, no formulas."""

import csv
import io
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services.chassis.formulas import neutralise
from services.chassis.problems import Language, Text

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_COLUMNS = (
    Text(fr="réservation", en="booking", nl="reservering"),
    Text(fr="genre", en="kind", nl="soort"),
    Text(fr="coopérative qui prête", en="lending cooperative", nl="uitlenende coöperatie"),
    Text(fr="qui prête", en="lender", nl="uitlener"),
    Text(fr="coopérative qui emprunte", en="borrowing cooperative", nl="lenende coöperatie"),
    Text(fr="qui emprunte", en="borrower", nl="lener"),
    Text(fr="cercle", en="circle", nl="kring"),
    Text(fr="offre", en="offer", nl="aanbod"),
    Text(fr="début", en="start", nl="begin"),
    Text(fr="fin", en="end", nl="einde"),
    Text(fr="minutes", en="minutes", nl="minuten"),
    Text(fr="quantité", en="quantity", nl="aantal"),
    Text(fr="valeur", en="value", nl="waarde"),
    Text(fr="unité", en="unit", nl="eenheid"),
)
_KINDS = {
    "use": Text(fr="utilisation", en="use", nl="gebruik"),
    "no_show": Text(fr="pas venu·e", en="no-show", nl="niet gekomen"),
}
_UNITS = {
    "EUR": Text(fr="EUR", en="EUR", nl="EUR"),
    "minutes": Text(fr="minutes de temps", en="minutes of time", nl="minuten tijd"),
}
_OURS = Text(fr="notre coopérative", en="our cooperative", nl="onze coöperatie")


def header(language: Language) -> str:
    """What the file begins with."""
    return BOM + _line([column.say(language) for column in _COLUMNS])


def line(row: sa.Row[Any], language: Language, zone: ZoneInfo) -> str:
    """The line of one use; `zone`: in which times are written ("2026-03-19 14:00")."""
    texts = (
        row.owner_peer_name or row.owner_peer_id or _OURS.say(language),
        row.owner_name or "",
        row.borrower_peer_name or row.borrower_peer_id or _OURS.say(language),
        row.borrower_name or row.borrower_pseudonym or "",
        row.circle_name or "",
        row.offer_title,
    )
    times = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (row.started_at, row.ended_at))
    value = "" if row.value is None else str(row.value) if row.unit == "EUR" else str(int(row.value))
    return _line(
        [
            str(row.booking_id),
            _KINDS[row.kind].say(language),
            *(neutralise(text) for text in texts),
            *times,
            str(row.minutes),
            str(row.quantity),
            value if language == "en" else value.replace(".", ","),
            _UNITS[row.unit].say(language) if row.unit else "",
        ]
    )


def _line(cells: list[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerow(cells)
    return out.getvalue()
