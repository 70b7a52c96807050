"""Names and codes of ESCO and ROME, from generated files laid out as theirs are published."""

import csv
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from contracts.catalog import Audience
from services.chassis.ids import new_id
from services.matching import skill_files
from services.matching.queries.skills import synonyms
from services.matching.skill_files import BadFile, recognise
from services.matching.skills import import_file, main
from services.matching.tables import skills
from tests.services.matching.conftest import Matching
from tests.services.matching.test_matches import answer_for, need

ESCO = "http://data.europa.eu/esco/skill/"
ESCO_COLUMNS = (
    *("conceptType", "conceptUri", "skillType", "reuseLevel", "preferredLabel", "altLabels", "hiddenLabels"),
    *("status", "modifiedDate", "scopeNote", "definition", "inScheme", "description"),
)
CAULK = {"conceptUri": f"{ESCO}0001", "preferredLabel": "calfeutrer", "altLabels": "étancher\nmettre du mastic"}
SEW = {"conceptUri": f"{ESCO}0002", "preferredLabel": "couture", "altLabels": "travaux d'aiguille\nconfection"}
ROME = ("code_ogr", "libelle_appellation_long", "libelle_appellation_court", "code_rome", "statut")


def esco(folder: Path, *rows: dict[str, str], name: str = "skills_fr.csv", columns: Any = ESCO_COLUMNS) -> Path:
    """A file as ESCO gives it: UTF-8, commas, alternative labels on lines of one cell."""
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        same = {"conceptType": "KnowledgeSkillCompetence", "status": "released"}
        writer.writerows({key: value for key, value in {**same, **row}.items() if key in columns} for row in rows)
    return path


def rome(folder: Path, *rows: tuple[str, ...]) -> Path:
    """A file as France Travail gives it: every cell in quotes."""
    path = folder / "unix_referentiel_appellation_v455_utf8.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([ROME, *rows])
    return path


async def codes_in(matching: Matching) -> dict[str, str]:
    async with matching.db.reading() as session:
        return {row.code: row.label for row in await session.execute(sa.select(skills.c.code, skills.c.label))}


async def test_the_same_file_again_changes_nothing_and_a_newer_one_brings_up_to_date(
    matching: Matching, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = recognise(esco(tmp_path, CAULK, SEW, {**SEW, "conceptUri": f"{ESCO}9", "status": "obsolete"}))
    assert await import_file(matching.db, first) == (2, 0)
    before = await codes_in(matching)
    assert await import_file(matching.db, first) == (2, 0)
    assert await codes_in(matching) == before == {f"{ESCO}0001": "calfeutrer", f"{ESCO}0002": "couture"}
    await import_file(
        matching.db, recognise(rome(tmp_path, ("11", "Couturier / Couturière", "Couturier", "B1803", "1")))
    )
    newer = recognise(esco(tmp_path, {**SEW, "preferredLabel": "coudre"}))
    assert await import_file(matching.db, newer) == (1, 1)
    assert await codes_in(matching) == {f"{ESCO}0002": "coudre", "11": "Couturier / Couturière"}
    assert "skills_fr.csv (esco-skills, fr): 1 kept, 1 that are no longer in it removed" in capsys.readouterr().out


async def test_a_bad_line_is_named_and_nothing_of_the_file_is_kept(matching: Matching, tmp_path: Path) -> None:
    await import_file(matching.db, recognise(esco(tmp_path, CAULK)))
    many = [{**SEW, "conceptUri": f"{ESCO}{number}"} for number in range(700)]
    for bad, said in (
        ({**SEW, "conceptUri": "x"}, "conceptUri is 'x'"),
        ({**SEW, "preferredLabel": " "}, "preferredLabel is empty"),
    ):
        file = recognise(esco(tmp_path, *many, bad))
        with pytest.raises(BadFile, match=f"skills_fr.csv, line .*{said}"):
            await import_file(matching.db, file)
    assert await codes_in(matching) == {f"{ESCO}0001": "calfeutrer"}


def test_blanks_around_the_names_of_columns_do_not_matter(tmp_path: Path) -> None:
    columns = [f" {name} " for name in ESCO_COLUMNS]
    row = {f" {name} ": text for name, text in {**CAULK, "status": "released"}.items()}
    path = tmp_path / "skills_fr.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerow(row)
    [skill] = recognise(path).skills()
    assert (skill.code, skill.label) == (CAULK["conceptUri"], "calfeutrer")


def test_files_that_are_none_of_theirs_are_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "latin_fr.csv").write_bytes("conceptUri,préférence\n".encode("latin-1"))
    esco(tmp_path, CAULK, name="skills.csv")
    for name, said in (
        ("other.csv", "none of the known files"),
        ("empty.csv", "none of the known files"),
        ("latin_fr.csv", "not UTF-8"),
        ("skills.csv", "say --language"),
        ("missing.csv", "No such file"),
        ("", "not a file"),
    ):
        with pytest.raises(SystemExit) as refused:
            main([str(tmp_path / name)])
        assert said in str(refused.value)
        assert "\n" not in str(refused.value)
    assert recognise(tmp_path / "skills.csv", "nl").language == "nl"
    ragged = esco(tmp_path, CAULK)
    ragged.write_text(ragged.read_text(encoding="utf-8") + "one,two\n", encoding="utf-8")
    with pytest.raises(BadFile, match="line 4: not as many cells"):
        list(recognise(ragged).skills())
    for limit, value, said in (("MOST_BYTES", 10, "at most 0 MiB"), ("MOST_ROWS", 1, "more than 1 rows")):
        whole = esco(tmp_path, CAULK, SEW)
        monkeypatch.setattr(skill_files, limit, value)
        with pytest.raises(BadFile, match=said):
            list(recognise(whole).skills())
        monkeypatch.undo()


async def test_names_are_synonyms_in_search_and_matching(matching: Matching, tmp_path: Path) -> None:
    offer = await matching.listing("Confection de rideaux", kind="expertise")
    await matching.listing("Perceuse")
    wanted = await need(matching, "Travaux d'aiguille", kind="expertise")
    await matching.count_words()
    assert await matching.titles(q="travaux d'aiguille", side="offer") == []
    assert (await answer_for(matching, wanted))["items"] == []
    await import_file(matching.db, recognise(esco(tmp_path, SEW)))
    assert await matching.titles(q="travaux d'aiguille", side="offer") == [offer.title]
    assert [item["id"] for item in (await answer_for(matching, wanted))["items"]] == [str(offer.id)]
    async with matching.db.reading() as session:
        assert await synonyms(session, []) == []
        assert await synonyms(session, ["perceuse"]) == []


async def test_codes_are_shown_and_exported_to_those_who_may_see_the_thing(matching: Matching, tmp_path: Path) -> None:
    await import_file(matching.db, recognise(esco(tmp_path, SEW)))
    await import_file(
        matching.db, recognise(rome(tmp_path, ("11923", "Couturier / Couturière", "Couturier", "B1803", "1")))
    )
    await matching.listing("Couturière", category="Couture")
    circle = await matching.circle(new_id())
    hidden = await matching.listing("Couture", audience=Audience(scope="circle", circle_ids=[circle]))
    await matching.count_words()
    client = await matching.client(new_id())
    (item,) = (await client.get("/search", params={"q": "couturière"})).json()["items"]
    assert item["skills"] == [
        {"scheme": "esco", "code": f"{ESCO}0002", "label": "couture"},
        {"scheme": "rome", "code": "B1803", "label": "Couturier / Couturière"},
    ]
    shown = await client.get(f"/skills/{item['id']}")
    assert shown.json() == item["skills"]
    assert (await client.get(f"/skills/{hidden.id}")).json() == []
    assert (await (await matching.client()).get(f"/skills/{item['id']}")).json() == item["skills"]
    exported = (await client.get("/skills.csv")).content.decode("utf-8-sig").splitlines()
    assert [line.split(";")[3:6] for line in exported[1:]] == [
        ["Couturière", "esco", f"{ESCO}0002"],
        ["Couturière", "rome", "B1803"],
    ]
    assert (await (await matching.client()).get("/skills.csv")).status_code == 401
