"""Reading and writing cells, without any I/O."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.csv_files import dates, decoding, reading
from services.catalog.csv_files.columns import COLUMNS, column_named
from services.catalog.csv_files.reading import Surroundings
from services.chassis import formulas

PARIS = ZoneInfo("Europe/Paris")
AROUND = Surroundings(
    zone=PARIS,
    locale="fr",
    circles={"atelier": UUID(int=1)},
    circle_refs=frozenset({"kept"}),
    now=datetime(2026, 3, 1, tzinfo=UTC),
)


@given(st.text())
def test_reading_undoes_writing_of_any_text(text: str) -> None:
    assert formulas.restore(formulas.neutralise(text)) == text


@given(st.sampled_from("=+-@\t\r"), st.text())
def test_no_written_cell_is_a_formula(first: str, rest: str) -> None:
    assert formulas.neutralise(first + rest).startswith("'")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("19/03/2026 14:00", "2026-03-19T13:00Z"),
        ("19/03/2026 14h", "2026-03-19T13:00Z"),
        ("19.03.2026 14h30", "2026-03-19T13:30Z"),
        ("2026-07-19T14:00", "2026-07-19T12:00Z"),
        ("2026-07-19T14:00+00:00", "2026-07-19T14:00Z"),
        ("19/03/2026", "2026-03-18T23:00Z"),
    ],
)
def test_dates_are_read_in_the_cooperatives_time(cell: str, expected: str) -> None:
    assert dates.read(cell, PARIS, is_end=False) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("29/03/2026", "2026-03-29T22:00Z"), ("25/10/2026", "2026-10-25T23:00Z"), ("2026-03-28", "2026-03-28T23:00Z")],
)
def test_an_end_without_a_time_includes_its_day_also_when_the_clock_changes(cell: str, expected: str) -> None:
    assert dates.read(cell, PARIS, is_end=True) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("cell", ["31/02/2026", "14:00", "demain", "2026-13-01", "1/1/26"])
def test_what_is_no_date_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        dates.read(cell, PARIS, is_end=False)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Catégorie", "categorie"),
        ("VALABLE JUSQU'AU", "valable_jusqu_au"),
        ("title", "titre"),
        ("kind", "genre"),
        ("x", None),
    ],
)
def test_headers_are_known_in_french_and_english(header: str, column: str | None) -> None:
    assert column_named(header) == column


def test_every_column_that_is_written_is_known() -> None:
    assert [column_named(column) for column in COLUMNS] == list(COLUMNS)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        decoded = decoding.decode(data)
    except decoding.FileUnreadable:
        return
    try:
        checked = reading.check(decoded.text, AROUND)
    except (reading.ColumnsMissing, reading.ColumnTwice):
        return
    assert checked.rows == len(checked.good) + len({error.line for error in checked.errors})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_every_line_below_a_good_header_is_good_or_has_a_reason(body: str) -> None:
    checked = reading.check("ref;type;genre;titre;quantite;du\n" + body, AROUND)
    assert checked.rows == len(checked.good) + len({error.line for error in checked.errors})


def test_circles_are_named_unless_the_listing_has_them_already() -> None:
    text = (
        "ref;type;genre;titre;visibilite;cercles\n"
        "a;offre;lieu;Salle;cercle;Atelier\n"
        "b;offre;lieu;Salle;cercle;Inconnu\n"
        "c;offre;lieu;Salle;cercle;\n"
        "kept;offre;lieu;Salle;cercle;\n"
    )
    checked = reading.check(text, AROUND)
    assert [good.ref for good in checked.good] == ["a", "kept"]
    assert [(error.line, error.column) for error in checked.errors] == [(3, "cercles"), (4, "cercles")]
