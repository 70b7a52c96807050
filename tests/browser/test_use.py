"""Coming, leaving, and what the accounts say of it: on the pages, in a browser."""

from playwright.sync_api import expect

from deploy.demo import seed
from deploy.demo.seed import ROOM
from tests.browser.seats import Seats, fits
from tests.journeys.conftest import Region
from tests.journeys.test_use import RULES, soon

PHONE = {"width": 360, "height": 740}


def test_marie_comes_and_leaves_and_the_team_counts_it(region: Region, seats: Seats) -> None:
    lille = region.lille
    made = seed.share(lille, "karim", ROOM | {"title": "Banc de montage"})
    lille.members["karim"].call("PUT", f"booking/resources/{made['id']}", json=RULES)
    asked = {"offer_id": made["id"], "origin": None, "quantity": 1, "note": ""} | soon()
    booking = lille.members["marie"].post("booking/bookings", asked)

    karim = seats.member(lille, "karim", viewport=PHONE).go(f"/bookings/{booking['id']}")
    expect(karim.get_by_text("Code d'arrivée")).to_be_visible()
    code = lille.members["karim"].get(f"booking/bookings/{booking['id']}")["check_in_code"]
    expect(karim.get_by_text(code[:3])).to_be_visible()

    seat = seats.member(lille, "marie", viewport=PHONE)
    page = seat.go(f"/bookings/{booking['id']}")
    expect(page.get_by_text("Code d'arrivée")).to_have_count(0)
    page.get_by_text("J'ai un code").click()
    page.get_by_label("Code à six chiffres").fill("12")
    page.get_by_role("button", name="Signaler mon arrivée").click()
    expect(page.get_by_role("alert").first).to_contain_text("pas le code")
    page.get_by_role("button", name="Je suis là").click()
    expect(page.get_by_text("L'arrivée est signalée.")).to_be_visible()
    page.get_by_role("button", name="J'ai fini").click()
    expect(page.get_by_text("Le départ est signalé.")).to_be_visible()
    expect(page.get_by_role("main").get_by_text("terminée", exact=True)).to_be_visible()
    seat.go("/bookings")
    page.get_by_role("link", name="Mes heures").click()
    expect(page.get_by_role("heading", name="Banc de montage")).to_be_visible()

    team = seats.member(lille, "claire", viewport=PHONE)
    page = team.go("/coordination/accounts")
    expect(page.get_by_role("row").filter(has_text=lille.members["marie"].get("identity/me")["name"])).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Toutes les lignes (CSV)").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert "Banc de montage" in text
    fits(page)
