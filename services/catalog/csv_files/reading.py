"""A CSV file as forms, and every bad line with its reason."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from contracts.identity import Locale
from services.catalog.csv_files import cells, problems
from services.catalog.csv_files.columns import COLUMN_OF, COLUMNS, REQUIRED, column_named, plain
from services.catalog.csv_files.decoding import separator
from services.catalog.csv_files.problems import CellError, ColumnsMissing, ColumnTwice, FileTooLarge, filled
from services.catalog.domain import field_problems
from services.catalog.forms import ListingForm
from services.chassis.field_texts import field_error

MOST_ROWS = 20_000
_LONGEST_REF = 200
_ALL_OF_A_LINE_UNTIL = 5_000
"""From this many errors on, only the first one of each further line is kept."""

_PREVIEW = 5


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a file is read against.

    `zone`: of times without an offset; `locale`: the language of listings that name none; `circles`: plain name → id;
    `circle_refs`: references of listings that already have chosen circles; `now`: UTC.
    """

    zone: ZoneInfo
    locale: Locale
    circles: Mapping[str, UUID]
    circle_refs: frozenset[str]
    now: datetime


@dataclass(frozen=True, kw_only=True)
class GoodRow:
    """A line to import: `form` holds the fields whose columns the file has."""

    line: int
    ref: str
    form: dict[str, Any]


@dataclass(kw_only=True)
class Checked:
    """What was found in a file."""

    separator: str
    columns: list[str]
    ignored: list[str]
    rows: int = 0
    good: list[GoodRow] = field(default_factory=list[GoodRow])
    errors: list[CellError] = field(default_factory=list[CellError])
    preview: list[dict[str, str]] = field(default_factory=list[dict[str, str]])


def check(text: str, around: Surroundings) -> Checked:
    """Read all of `text`. Raises ColumnsMissing, ColumnTwice, FileTooLarge."""
    chosen, text = _separator(text)
    lines = _lines(text, chosen)
    header = next((row for _, row in lines if isinstance(row, list)), [])
    columns = _columns(header)
    found = Checked(
        separator=chosen,
        columns=[column for column in COLUMNS if column in columns],
        ignored=[cell for cell in header if cell.strip() and column_named(cell) is None],
    )
    seen: dict[str, int] = {}
    for line, row in lines:
        if isinstance(row, list) and not any(cell.strip() for cell in row):
            continue
        found.rows += 1
        if found.rows > MOST_ROWS:
            raise FileTooLarge
        errors = _read_row(found, (line, row), columns, seen, around)
        found.errors += errors if len(found.errors) < _ALL_OF_A_LINE_UNTIL else errors[:1]
    return found


def _separator(text: str) -> tuple[str, str]:
    """The separator, and the text without the line with which a spreadsheet program names it ("sep=;")."""
    first, _, rest = text.partition("\n")
    named = first.strip().strip('"')
    if named.lower().startswith("sep=") and len(named) == len("sep=;"):
        return named[-1], rest
    return separator(text), text


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Each record with the number of the line on which it begins, or what is wrong with it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, error


def _columns(header: list[str]) -> list[str | None]:
    """Our column for each cell of the header, None for a foreign one."""
    columns = [column_named(cell) for cell in header]
    for column in columns:
        if column is not None and columns.count(column) > 1:
            raise ColumnTwice(column=column)
    if missing := [column for column in REQUIRED if column not in columns]:
        raise ColumnsMissing(columns=", ".join(missing))
    return columns


def _read_row(
    found: Checked,
    record: tuple[int, list[str] | csv.Error],
    columns: list[str | None],
    seen: dict[str, int],
    around: Surroundings,
) -> list[CellError]:
    """Add the row to what is good, or return what is wrong with it."""
    line, row = record
    if not isinstance(row, list):
        return [CellError(line=line, column="", value="", reason=problems.BAD_QUOTES)]
    while len(row) > len(columns) and not row[-1].strip():
        row.pop()
    if len(row) != len(columns):
        reason = filled(problems.RAGGED, found=len(row), expected=len(columns))
        return [CellError(line=line, column="", value="", reason=reason)]
    values = {column: cells.clean(cell) for column, cell in zip(columns, row, strict=True) if column is not None}
    if len(found.preview) < _PREVIEW:
        found.preview.append(values)
    form, errors = _form(line, values, around)
    errors = [*_ref_errors(line, values["ref"], seen), *errors]
    if not errors:
        found.good.append(GoodRow(line=line, ref=values["ref"], form=form))
    return errors


def _ref_errors(line: int, ref: str, seen: dict[str, int]) -> list[CellError]:
    if not ref:
        return [CellError(line=line, column="ref", value="", reason=cells.MISSING)]
    if len(ref) > _LONGEST_REF:
        return [CellError(line=line, column="ref", value=ref, reason=problems.REF_TOO_LONG)]
    if ref in seen:
        return [CellError(line=line, column="ref", value=ref, reason=filled(problems.REF_TWICE, line=seen[ref]))]
    seen[ref] = line
    return []


def _form(line: int, values: dict[str, str], around: Surroundings) -> tuple[dict[str, Any], list[CellError]]:
    """The fields of a row as JSON, and its errors."""
    errors: list[CellError] = []
    raw: dict[str, Any] = {}
    for column, cell in values.items():
        try:
            cells.put(raw, column, cell, around.zone)
        except cells.BadCell as bad:
            errors.append(CellError(line=line, column=column, value=cell, reason=bad.reason))
    raw.setdefault("language", around.locale)
    _place(raw)
    errors += [] if errors else _name_circles(line, values, raw, around)
    if errors:
        return raw, errors
    try:
        form = ListingForm.model_validate(raw)
    except ValidationError as error:
        wrong = [field_error(cast("dict[str, Any]", detail)) for detail in error.errors(include_url=False)]
    else:
        # circles were settled above: a listing that has them already need not name them again
        wrong = [one for one in field_problems(form, now=around.now) if one.field != "audience.circle_ids"]
    for one in wrong:
        column = COLUMN_OF.get(one.field, one.field)
        reason = filled(one.text, **dict(one.values))
        errors.append(CellError(line=line, column=column, value=values.get(column, ""), reason=reason))
    return raw, errors


def _place(raw: dict[str, Any]) -> None:
    """No place where the cells of a place are all empty."""
    if "place" in raw and not any(value not in {None, ""} for value in raw["place"].values()):
        raw["place"] = None


def _name_circles(line: int, values: dict[str, str], raw: dict[str, Any], around: Surroundings) -> list[CellError]:
    """Circles by their names, where the audience is one of circles."""
    if raw.get("audience", {}).get("scope") != "circle":
        return []
    names = [name.strip() for name in values.get("cercles", "").split("|") if name.strip()]
    unknown = [name for name in names if plain(name) not in around.circles]
    if unknown:
        reason = filled(problems.UNKNOWN_CIRCLE, name=unknown[0])
        return [CellError(line=line, column="cercles", value=values["cercles"], reason=reason)]
    if not names and values["ref"] not in around.circle_refs:
        return [CellError(line=line, column="cercles", value="", reason=cells.MISSING)]
    raw["audience"]["circle_ids"] = [str(around.circles[plain(name)]) for name in names]
    return []
