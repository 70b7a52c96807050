"""Listings as CSV: UTF-8, semicolons, formulas neutralised; import reads the same back."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services.catalog.csv_files import dates
from services.catalog.csv_files.columns import COLUMNS, FRENCH
from services.chassis.formulas import neutralise
from services.chassis.problems import Language, Text

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""By which spreadsheets know that a file is UTF-8."""
_OF_BAD_LINES = (
    Text(fr="ligne", en="line", nl="regel"),
    Text(fr="colonne", en="column", nl="kolom"),
    Text(fr="valeur", en="value", nl="waarde"),
    Text(fr="pourquoi", en="why", nl="waarom"),
)
_TEXTS = {"ref", "titre", "texte", "categorie", "etiquettes", "lieu", "unite", "cercles"}


def header() -> str:
    """The first line."""
    return _line(list(COLUMNS))


def line(row: sa.RowMapping, circles: Mapping[UUID, str], zone: ZoneInfo) -> str:
    """The line of one listing. `circles`: names by id; `zone`: in which times are written."""
    values: dict[str, Any] = {
        "ref": row["ref"] or str(row["id"]),
        "type": FRENCH["type"][row["side"]],
        "genre": FRENCH["genre"][row["kind"]],
        "titre": row["title"],
        "texte": row["text"],
        "categorie": row["category"],
        "etiquettes": " | ".join(row["tags"]),
        "langue": row["language"],
        "lieu": row["place_label"] or "",
        "latitude": "" if row["latitude"] is None else repr(row["latitude"]),
        "longitude": "" if row["longitude"] is None else repr(row["longitude"]),
        "quantite": str(row["quantity"]),
        "unite": row["unit"],
        "visibilite": FRENCH["visibilite"][row["scope"]],
        "cercles": " | ".join(circles[circle_id] for circle_id in row["circle_ids"] if circle_id in circles),
        "valable_du": dates.write(row["valid_from"], zone),
        "valable_jusqu_au": dates.write(row["valid_until"], zone),
        "du": dates.write(row["window_start"], zone),
        "au": dates.write(row["window_end"], zone),
        "urgence": FRENCH["urgence"][row["urgency"]],
    }
    return _line([neutralise(values[name]) if name in _TEXTS else values[name] for name in COLUMNS])


def bad_lines(found: Sequence[tuple[int, str, str, str]], language: Language) -> str:
    """A file of what has to be corrected: line, column, value and reason of each."""
    named = [column.say(language) for column in _OF_BAD_LINES]
    rows = ([str(line), column, neutralise(value), reason] for line, column, value, reason in found)
    return BOM + _line(named) + "".join(_line(row) for row in rows)


def _line(cells: list[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerow(cells)
    return out.getvalue()
