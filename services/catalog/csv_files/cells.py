"""One cell as the value of a field."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.catalog.csv_files import dates, problems
from services.catalog.csv_files.columns import FIELDS, FRENCH, WORDS, plain
from services.catalog.csv_files.problems import filled
from services.chassis import formulas
from services.chassis.problems import Text

MISSING = Text(fr="À remplir.", en="Please fill this in.", nl="Vul dit in.")

_ENDS = {"valable_jusqu_au", "au"}
_DATES = {"valable_du", "valable_jusqu_au", "du", "au"}
_SPACES = str.maketrans("", "", " \u00a0\u202f")


class BadCell(ValueError):
    """A cell that says nothing we understand."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


def clean(cell: str) -> str:
    """The text of a cell, without what export put in front of formulas."""
    return formulas.restore(cell.strip()).strip()


def put(raw: dict[str, Any], column: str, cell: str, zone: ZoneInfo) -> None:
    """Set the field of `column` in `raw`, JSON-ready; an empty cell leaves the field's default. Raises BadCell."""
    if any(ord(character) < 32 and character not in "\t\n\r" for character in cell):  # noqa: PLR2004 - ASCII controls
        raise BadCell(problems.NOT_PRINTABLE)
    if column in {"ref", "cercles"}:
        return
    value = _value(column, cell, zone) if cell else None
    first, _, second = FIELDS[column].partition(".")
    if first == "place":
        raw.setdefault("place", {})[second] = value
    elif second and value is not None:
        raw.setdefault(first, {})[second] = value
    elif value is not None or column in _DATES:
        raw[first] = value
    elif column in {"texte", "categorie", "unite"}:
        raw[first] = ""
    elif column == "etiquettes":
        raw[first] = []


def _value(column: str, cell: str, zone: ZoneInfo) -> Any:
    if column in WORDS:
        return _word(column, cell)
    if column in _DATES:
        return _date(cell, zone, is_end=column in _ENDS).isoformat()
    if column == "etiquettes":
        return [tag for part in cell.split("|") if (tag := part.strip())]
    if column == "quantite":
        return _number(cell, whole=True)
    if column in {"latitude", "longitude"}:
        return _number(cell, whole=False)
    return cell


def _word(column: str, cell: str) -> str:
    value = WORDS[column].get(plain(cell))
    if value is None:
        raise BadCell(filled(problems.UNKNOWN_WORD, words=", ".join(FRENCH[column].values())))
    return value


def _date(cell: str, zone: ZoneInfo, *, is_end: bool) -> datetime:
    try:
        return dates.read(cell, zone, is_end=is_end)
    except (ValueError, OverflowError) as error:
        raise BadCell(problems.NOT_A_DATE) from error


def _number(cell: str, *, whole: bool) -> int | float:
    """French decimals and spaces between thousands are fine."""
    text = cell.translate(_SPACES).replace(",", ".")
    try:
        return int(text) if whole else float(text)
    except ValueError as error:
        raise BadCell(problems.NOT_A_NUMBER) from error
