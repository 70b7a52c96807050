"""Listings as CSV: UTF-8, semicolons, formulas neutralised; import reads the same back."""

import csv
import io
from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services.catalog.csv_files import dates
from services.catalog.csv_files.columns import COLUMNS, FRENCH
from services.chassis.formulas import neutralise

_TEXTS = {"ref", "titre", "texte", "categorie", "lieu", "unite", "cercles"}


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


def _line(cells: list[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerow(cells)
    return out.getvalue()
