"""Files of skills and occupations as their publishers give them: ESCO (CSV per language) and ROME (France Travail).

They are handed to the importer and never fetched. Known are ESCO's `skills_fr.csv`, `occupations_fr.csv` (in any of our
languages) and ROME's `unix_referentiel_code_rome_…`, `unix_referentiel_appellation_…`, `unix_referentiel_competence_…`.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from contracts.identity import Locale
from services.matching import words

Scheme = Literal["esco", "rome"]

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 200_000
MOST_NAMES = 60
LONGEST_NAME = 200
_LONGEST_CODE = 200
_CELL = 1_000_000
_URI = re.compile(r"https?://\S+")
_ROME = re.compile(r"[A-Z]\d{4}")
_OF_BOTH = re.compile(r"\s+/\s+")
_LANGUAGE = re.compile(r"_(fr|nl|en)\b", re.IGNORECASE)


class BadFile(Exception):
    """A file that is none of theirs, or is damaged. The text says what and where, in English, for an operator."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How one of their files is laid out. `source`: what it holds, for a later file of the same sort."""

    source: str
    scheme: Scheme
    code: str
    label: str
    others: tuple[str, ...] = ()
    shown: str = ""
    status: str = ""


@dataclass(frozen=True, kw_only=True)
class Skill:
    """A skill or an occupation. `code`: unique in its scheme; `shown`: what people know; `names`: all, folded."""

    code: str
    shown: str
    label: str
    names: tuple[str, ...]


LAYOUTS: tuple[Layout, ...] = (
    Layout(
        source="esco-occupations",
        scheme="esco",
        code="conceptUri",
        label="preferredLabel",
        others=("altLabels", "hiddenLabels"),
        shown="iscoGroup",
        status="status",
    ),
    Layout(
        source="esco-skills",
        scheme="esco",
        code="conceptUri",
        label="preferredLabel",
        others=("altLabels", "hiddenLabels"),
        status="status",
    ),
    Layout(
        source="rome-appellations",
        scheme="rome",
        code="code_ogr",
        label="libelle_appellation_long",
        others=("libelle_appellation_court",),
        shown="code_rome",
    ),
    Layout(source="rome-competences", scheme="rome", code="code_ogr", label="libelle_competence"),
    Layout(source="rome-codes", scheme="rome", code="code_rome", label="libelle_rome", shown="code_rome"),
)
"""The first whose columns are all there is meant."""


@dataclass(frozen=True, kw_only=True)
class SkillFile:
    """A file that was recognised."""

    path: Path
    layout: Layout
    language: Locale
    delimiter: str

    def skills(self) -> Iterator[Skill]:
        """What it holds, line by line. Raises BadFile with the line."""
        with _opened(self.path) as file:
            reader = csv.DictReader(file, delimiter=self.delimiter, strict=True)
            count = 0
            try:
                for row in reader:
                    count += 1
                    if count > MOST_ROWS:
                        raise BadFile(f"{self.path.name}: more than {MOST_ROWS:,} rows")
                    if (found := self._skill(row, reader.line_num)) is not None:
                        yield found
            except (csv.Error, UnicodeDecodeError) as error:
                raise BadFile(f"{self.path.name}, after line {reader.line_num}: {error}") from error
        if not count:
            raise BadFile(f"{self.path.name}: no row below its header")

    def _skill(self, row: dict[str | None, str | list[str] | None], line: int) -> Skill | None:
        cells = {name.strip(): text.strip() for name, text in row.items() if name is not None and isinstance(text, str)}
        if None in row or len(cells) < len(row):
            raise BadFile(f"{self.path.name}, line {line}: not as many cells as the header has")
        if self.layout.status and cells.get(self.layout.status, "released").lower() not in {"", "released"}:
            return None
        code, label = cells[self.layout.code], cells[self.layout.label]
        pattern = (
            _URI if self.layout.scheme == "esco" else _ROME if self.layout.code == "code_rome" else re.compile(r"\d+")
        )
        if not pattern.fullmatch(code) or len(code) > _LONGEST_CODE:
            raise BadFile(f"{self.path.name}, line {line}: {self.layout.code} is {code[:60]!r}, which is no such code")
        if not label:
            raise BadFile(f"{self.path.name}, line {line}: {self.layout.label} is empty")
        others = [text for column in self.layout.others for text in cells.get(column, "").splitlines()]
        shown = cells.get(self.layout.shown, "") or ("" if self.layout.scheme == "esco" else code)
        return Skill(
            code=code, shown=shown[:_LONGEST_CODE], label=label[:LONGEST_NAME], names=names_of([label, *others])
        )


def names_of(labels: list[str]) -> tuple[str, ...]:
    """Each name once, folded; "Coiffeur / Coiffeuse" is the two."""
    parts = [part for label in labels for part in (label, *_OF_BOTH.split(label))]
    folded = (words.called(part[:LONGEST_NAME]) for part in parts)
    return tuple(dict.fromkeys(name for name in folded if name))[:MOST_NAMES]


def recognise(path: Path, language: Locale | None = None) -> SkillFile:
    """Which of their files it is. `language`: of ESCO's labels, else as the file's name says. Raises BadFile."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from error
    if not path.is_file() or size > MOST_BYTES:
        raise BadFile(f"{path}: not a file of at most {MOST_BYTES // 1024 // 1024} MiB")
    csv.field_size_limit(_CELL)
    header, delimiter = _header(path)
    layout = next((one for one in LAYOUTS if {one.code, one.label, *one.others, one.shown} - {""} <= set(header)), None)
    if layout is None:
        known = "; ".join(f"{one.source}: {one.code}, {one.label}" for one in LAYOUTS)
        raise BadFile(f"{path.name}: none of the known files (columns here: {', '.join(header)[:300]}; known: {known})")
    if layout.scheme == "rome":
        return SkillFile(path=path, layout=layout, language="fr", delimiter=delimiter)
    named = _LANGUAGE.search(path.stem)
    spoken = language or (named[1].lower() if named else None)
    if spoken not in words.CONFIGURATIONS:
        raise BadFile(f"{path.name}: its name ends with no language (as in skills_fr.csv); say --language fr, nl or en")
    return SkillFile(path=path, layout=layout, language=spoken, delimiter=delimiter)


def _header(path: Path) -> tuple[list[str], str]:
    with _opened(path) as file:
        try:
            first = file.readline(_CELL)
        except UnicodeDecodeError as error:
            raise BadFile(f"{path.name}: not UTF-8 ({error.reason} at byte {error.start})") from error
    delimiter = max(",;\t", key=first.count)
    try:
        return [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter, strict=True), [])], delimiter
    except csv.Error as error:
        raise BadFile(f"{path.name}, line 1: {error}") from error


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from error
