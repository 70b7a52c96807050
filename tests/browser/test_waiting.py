"""Waiting for a place, and changing rules under bookings, as people live it with pages and mails."""

import re

from playwright.sync_api import expect

from deploy.demo.api import wait_for
from tests.browser import things
from tests.browser.seats import Seats
from tests.journeys.conftest import Region


def test_a_place_that_becomes_free_goes_to_who_waits(region: Region, seats: Seats) -> None:
    lille = region.lille
    path = things.bookable(lille, "karim", things.title_of_its_own("Toupie"))
    period = things.free_period(lille, "marie", path)
    page = seats.member(lille, "marie").go(
        f"{path}?at={period['start'].replace('+', '%2B')}/{period['end'].replace('+', '%2B')}"
    )
    taken = things.book(lille, "julie", path, period)
    page.get_by_role("button", name="Envoyer la demande").click()
    page.get_by_role("button", name="M'inscrire en liste d'attente").click()
    expect(page.get_by_role("status")).to_contain_text("Vous êtes en liste d'attente")
    expect(page.get_by_text("position 1")).to_be_visible()

    owner = seats.member(lille, "karim").go(path)
    expect(owner.get_by_text("1 personne attend une place")).to_be_visible()

    lille.members["julie"].post(f"booking/bookings/{taken['id']}/cancel", {})
    wait_for("the offer", lambda: _offered(region))
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Une place s'est libérée pour vous")
    page.get_by_role("button", name=re.compile("^Accepter la place")).click()
    expect(page.get_by_role("status")).to_contain_text("La demande est partie")


def test_rules_that_leave_bookings_behind_are_settled_first(region: Region, seats: Seats) -> None:
    lille = region.lille
    path = things.bookable(lille, "karim", things.title_of_its_own("Ponceuse"))
    booking = things.book(lille, "marie", path, things.free_period(lille, "marie", path))
    lille.members["karim"].post(f"booking/bookings/{booking['id']}/approve")
    page = seats.member(lille, "karim").go(f"/offers/{path.split('/')[-1][:36]}/booking-rules")
    for day in range(1, 7):
        page.locator(f"input[name=open_days][value='{day}']").uncheck()
    page.locator("input[name=open_days][value='0']").check()
    page.locator("input[name=opens_0]").fill("06:00")
    page.locator("input[name=closes_0]").fill("06:30")
    page.get_by_label("Au moins").select_option("30")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 réservation ne va plus avec le changement")
    page.get_by_role("radio", name="Annuler").check()
    page.get_by_label("Un mot pour la personne").fill("L'atelier change d'heures.")
    page.get_by_role("button", name="Enregistrer les règles et ces choix").click()
    expect(page.get_by_role("status")).to_contain_text("Les règles de réservation sont enregistrées")
    seen = seats.member(lille, "marie").go(f"/bookings/{booking['id']}")
    expect(seen.get_by_text("L'atelier change d'heures.")).to_be_visible()


def _offered(region: Region) -> bool:
    mine = region.lille.members["marie"].get("booking/waiting")["items"]
    return any(one["status"] == "offered" for one in mine)
