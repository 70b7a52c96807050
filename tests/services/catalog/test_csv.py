"""CSV files in and out, over HTTP against PostgreSQL."""

import asyncio
import csv
import io
import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy.pool import AsyncAdaptedQueuePool

from contracts.catalog import ListingPublished
from services.catalog.api import imports as api
from services.catalog.commands import imports
from services.catalog.loops import Importing
from services.catalog.queries import Wanted
from services.chassis.auth import Actor
from tests.services.catalog.conftest import Catalog, Make

HEADER = "ref;type;genre;titre;texte;categorie;lieu;latitude;longitude;quantite;visibilite;valable_jusqu_au;du;au\n"
GOOD = HEADER + (
    'a1;offre;machine;Découpeuse laser;"60 × 40 cm; 80 W";Fablab;Lille;50,63;3,06;1;partenaires;31/12/2099;;\n'
    "a2;besoin;coup de main;Déménagement;Deux bras;;;;;2;cooperative;;19/03/2099 14:00;19/03/2099 17h30\n"
)


async def check(client: httpx.AsyncClient, data: bytes) -> dict[str, Any]:
    answer = await client.post("/imports/check", files={"file": ("annonces.csv", data)})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def run(catalog: Catalog, client: httpx.AsyncClient, report: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/imports/{report['import_id']}/run")
    assert answer.status_code == 202, answer.text
    await Importing(catalog.db, seconds=1).import_all()
    return (await client.get(f"/imports/{report['import_id']}")).json()


@pytest.fixture
async def coordinator(catalog: Catalog) -> httpx.AsyncClient:
    return await catalog.client(await catalog.member("Coco", role="coordinator"))


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 (BOM)"),
        ("cp1252", "Windows-1252"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
    ],
)
@pytest.mark.parametrize("separator", [";", "\t", ","])
async def test_encoding_and_separator_are_found(
    catalog: Catalog, coordinator: httpx.AsyncClient, encoding: str, name: str, separator: str
) -> None:
    text = "ref;type;genre;titre;categorie\na1;offre;lieu;Salle à l'étage;Évènements\n".replace(";", separator)
    report = await check(coordinator, text.encode(encoding))
    assert (report["encoding"], report["separator"], report["errors"]) == (name, separator, [])
    assert report["preview"][0]["titre"] == "Salle à l'étage"


async def test_checking_imports_nothing_and_running_imports_once(
    catalog: Catalog, coordinator: httpx.AsyncClient
) -> None:
    report = await check(coordinator, GOOD.encode())
    assert (report["rows"], report["valid"], report["errors"]) == (2, 2, [])
    assert (await coordinator.get("/listings")).json()["items"] == []
    done = await run(catalog, coordinator, report)
    assert (done["status"], done["created"], done["updated"], done["unchanged"]) == ("done", 2, 0, 0)
    again = await coordinator.post(f"/imports/{report['import_id']}/run")
    assert again.status_code == 409
    items = {item["title"]: item for item in (await coordinator.get("/listings")).json()["items"]}
    assert items["Déménagement"]["window_start"] == "2099-03-19T13:00:00Z"
    assert items["Déménagement"]["window_end"] == "2099-03-19T16:30:00Z"
    assert items["Découpeuse laser"]["valid_until"] == "2099-12-31T23:00:00Z"
    assert items["Découpeuse laser"]["place"] == {"label": "Lille", "latitude": 50.63, "longitude": 3.06}


async def test_the_same_file_again_changes_only_what_changed(catalog: Catalog, coordinator: httpx.AsyncClient) -> None:
    await run(catalog, coordinator, await check(coordinator, GOOD.encode()))
    said = len(await catalog.said())
    same = await run(catalog, coordinator, await check(coordinator, GOOD.encode()))
    assert (same["created"], same["updated"], same["unchanged"]) == (0, 0, 2)
    assert len(await catalog.said()) == said
    other = await run(catalog, coordinator, await check(coordinator, GOOD.replace("80 W", "100 W").encode()))
    assert (other["created"], other["updated"], other["unchanged"]) == (0, 1, 1)
    last = (await catalog.said())[-1]
    assert isinstance(last, ListingPublished)
    assert (last.listing.text, last.listing.version) == ("60 × 40 cm; 100 W", 2)


BAD = [
    "ref;type;genre;titre;quantite;du;latitude;longitude;lieu",
    "b1;offre;machine;Bonne ligne;1;;;;",
    "b2;vente;machine;Titre;1;;;;",
    "b3;offre;fusée;Titre;1;;;;",
    "b4;offre;machine;T;1;;;;",
    "b5;offre;machine;Titre;zéro;;;;",
    "b6;offre;machine;Titre;1;31/02/2030;;;",
    "b7;offre;machine;Titre;1;;95;3;Lille",
    "b8;offre;machine;Titre",
    "b1;offre;machine;Deux fois;1;;;;",
    "b9;offre;machine;Nul\0ici;1;;;;",
    ";offre;machine;Sans référence;1;;;;",
    'b10;offre;machine;"Guillemet" perdu;1;;;;',
    "",
    "b11;offre;machine;Encore une bonne;1;;;;",
]
WRONG = [
    (3, "type", "vente"),
    (4, "genre", "fusée"),
    (5, "titre", "T"),
    (6, "quantite", "zéro"),
    (7, "du", "31/02/2030"),
    (8, "latitude", "95"),
    (9, "", ""),
    (10, "ref", "b1"),
    (11, "titre", "Nul\0ici".replace("\0", "\ufffd")),
    (12, "ref", ""),
    (13, "", ""),
]
"""Line, column and value of each error in BAD."""


async def test_every_bad_line_has_its_number_column_value_and_reason(
    catalog: Catalog, coordinator: httpx.AsyncClient
) -> None:
    report = await check(coordinator, "\n".join(BAD).encode())
    found = [(error["line"], error["column"], error["value"]) for error in report["errors"]]
    assert found == WRONG
    assert report["valid"] == 2
    assert report["errors"][0]["reason"] == "Mot inconnu. Choisissez parmi : offre, besoin."
    address = f"/imports/{report['import_id']}/errors.csv"
    text = (await coordinator.get(address, headers={"Accept-Language": "fr"})).text
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    assert rows[:2] == [
        ["ligne", "colonne", "valeur", "pourquoi"],
        ["3", "type", "vente", report["errors"][0]["reason"]],
    ]
    assert len(rows) == 1 + len(WRONG)
    member = await catalog.client(await catalog.member("Membre"))
    assert (await member.get(address)).status_code == 403
    english = await check_in(catalog, "en", "\n".join(BAD))
    assert english["errors"][0]["reason"] == "Unknown word. Choose one of: offre, besoin."


async def check_in(catalog: Catalog, language: str, text: str) -> dict[str, Any]:
    client = await catalog.client(await catalog.member(role="coordinator"), language=language)
    return await check(client, text.encode())


async def test_files_that_cannot_be_read_say_why(catalog: Catalog, coordinator: httpx.AsyncClient) -> None:
    tall = "ref;type;genre;titre\n" + "".join(f"r{n};offre;lieu;Salle {n}\n" for n in range(20_001))
    for data, status, slug in [
        (b"", 422, "catalog/file-unreadable"),
        (b"PK\x03\x04 a spreadsheet", 422, "catalog/file-unreadable"),
        (bytes(range(256)) * 40, 422, None),
        (b"nom;prenom\nx;y\n", 422, "catalog/columns-missing"),
        (b"ref;type;genre;titre;title\n", 422, "catalog/column-twice"),
        (tall.encode(), 413, "catalog/file-too-large"),
    ]:
        answer = await coordinator.post("/imports/check", files={"file": ("x.csv", data)})
        assert answer.status_code == status, (data[:20], answer.text)
        assert slug is None or answer.json()["type"].endswith(slug)
    member = await catalog.client(await catalog.member())
    assert (await member.post("/imports/check", files={"file": ("x.csv", b"x")})).status_code == 403


async def test_what_is_exported_is_harmless_and_comes_back_the_same(
    catalog: Catalog, coordinator: httpx.AsyncClient, form: Make
) -> None:
    texts = ["=1+1", "'=already", "@home", "+32 81", "-5 %", 'a;b "c"\r\nd\n=e', "plain"]
    for text in texts:
        body = form(text=text, title=f"Objet {text[:3]}", place={"label": "=Lille", "latitude": -3.5, "longitude": 2})
        assert (await coordinator.post("/listings", json=body)).status_code == 201
    exported = await coordinator.get("/export.csv")
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    assert "'=1+1" in exported.text
    assert "''=already" in exported.text
    assert ";=" not in exported.text
    said = len(await catalog.said())
    done = await run(catalog, coordinator, await check(coordinator, exported.content))
    assert (done["unchanged"], done["updated"], done["created"], done["errors"]) == (len(texts), 0, 0, [])
    assert len(await catalog.said()) == said
    member = await catalog.client(await catalog.member())
    assert (await member.get("/export.csv")).status_code == 403
    assert len((await member.get("/export.csv", params={"mine": True})).text.splitlines()) == 1


async def test_an_import_goes_on_after_a_restart(catalog: Catalog, coordinator: httpx.AsyncClient) -> None:
    text = "ref;type;genre;titre\n" + "".join(f"r{n};offre;lieu;Salle {n}\n" for n in range(900))
    report = await check(coordinator, text.encode())
    await coordinator.post(f"/imports/{report['import_id']}/run")
    assert await catalog.db.run(imports.run_batch, now=datetime.now(UTC))
    interrupted = asyncio.create_task(Importing(catalog.db, seconds=1).run())
    await asyncio.sleep(0.02)
    interrupted.cancel()
    await asyncio.wait([interrupted])
    progress = (await coordinator.get(f"/imports/{report['import_id']}")).json()
    assert 0 < progress["done"] < 900
    await Importing(catalog.db, seconds=1).import_all()
    done = (await coordinator.get(f"/imports/{report['import_id']}")).json()
    assert (done["status"], done["done"], done["created"]) == ("done", 900, 900)
    assert len(await catalog.said()) == 900


async def test_who_reads_an_export_slowly_holds_no_connection(
    catalog: Catalog, form: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "EXPORT_PAGE", 2)
    coco = await catalog.member("Coco", role="coordinator")
    client = await catalog.client(coco)
    for number in range(5):
        assert (await client.post("/listings", json=form(title=f"Salle {number}"))).status_code == 201
    actor = Actor(id=coco.id, name=coco.name, role=coco.role, locale="fr")
    pool = catalog.db.engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    text = ""
    export = api.pieces(catalog.db, Wanted(), actor, now=datetime.now(UTC), zone=ZoneInfo("Europe/Paris"))
    async for piece in export:
        assert pool.checkedout() == 0
        text += piece
    assert [line.split(";")[3] for line in text.splitlines()[1:]] == [f"Salle {number}" for number in range(5)]
    assert (await client.get("/export.csv")).text == text


async def test_an_import_ends_with_the_membership_of_its_coordinator(catalog: Catalog) -> None:
    coco = await catalog.member("Coco", role="coordinator")
    client = await catalog.client(coco)
    report = await check(client, GOOD.encode())
    path = f"/imports/{report['import_id']}"
    await catalog.tell_member(coco, left=True)
    assert [(await client.post(f"{path}/run")).status_code, (await client.get(path)).status_code] == [404, 404]
    await Importing(catalog.db, seconds=1).import_all()
    assert await catalog.said() == []


async def test_ten_thousand_lines_take_seconds(catalog: Catalog, coordinator: httpx.AsyncClient) -> None:
    text = HEADER + "".join(
        f"m{n};offre;matériel;Chaises pliantes {n};Lot de chaises;Mobilier;Lille;50.6;3.0;{n % 50 + 1};public;;;\n"
        for n in range(10_000)
    )
    began = time.perf_counter()
    report = await check(coordinator, text.encode("cp1252"))
    checked = time.perf_counter()
    done = await run(catalog, coordinator, report)
    print(f"check {checked - began:.1f} s, run {time.perf_counter() - checked:.1f} s")
    assert done["created"] == 10_000
