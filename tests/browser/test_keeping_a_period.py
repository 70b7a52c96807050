"""A period is kept while the form is open, with scripts and without; and a booking is moved by clicks."""

import re

from playwright.sync_api import expect

from deploy.demo.api import Json
from deploy.demo.seed import Town
from tests.browser import things
from tests.browser.seats import Seats, next_week
from tests.journeys.conftest import Region


def _holds(town: Town, who: str) -> list[Json]:
    held: list[Json] = town.members[who].get("booking/bookings", role="borrower", status="held")["items"]
    return held


def test_what_is_chosen_is_kept_and_given_back_when_the_page_is_left(region: Region, seats: Seats) -> None:
    path = things.bookable(region.lille, "karim", things.title_of_its_own("Banc de montage"))
    seat = seats.member(region.lille, "marie")
    page = seat.go(path)
    next_week(page)
    page.get_by_role("button", name=re.compile("9 h à 9 h 30, libre")).first.click()
    expect(page.get_by_text("Gardé pour vous jusqu'à")).to_be_visible()
    assert len(_holds(region.lille, "marie")) == 1
    page.goto(region.lille.url + "/inbox")
    seat.reload_until("that it is free again", lambda: not _holds(region.lille, "marie"))

    page = seat.go(path)
    next_week(page)
    page.get_by_role("button", name=re.compile("9 h à 9 h 30, libre")).first.click()
    expect(page.get_by_text("Gardé pour vous jusqu'à")).to_be_visible()
    page.get_by_role("button", name="Envoyer la demande").click()
    expect(page.get_by_role("status")).to_contain_text("La demande est partie")
    assert _holds(region.lille, "marie") == []


def test_without_scripts_the_last_step_keeps_it_and_gives_it_back(region: Region, seats: Seats) -> None:
    path = things.bookable(region.lille, "karim", things.title_of_its_own("Banc de sciage"))
    page = seats.member(region.lille, "julie", java_script_enabled=False).go(path)
    page.get_by_role("link", name="Semaine d'après").click()
    page.get_by_role("button", name=re.compile("14 h à 14 h 30, libre")).first.click()
    expect(page.get_by_text("Gardé pour vous jusqu'à")).to_be_visible()
    expect(page.get_by_label("Début")).to_have_value(re.compile("T14:00$"))
    assert len(_holds(region.lille, "julie")) == 1
    page.get_by_role("button", name="Abandonner").click()
    expect(page.get_by_role("status")).to_contain_text("La place est rendue")
    assert _holds(region.lille, "julie") == []

    page.get_by_role("button", name=re.compile("libre jusqu'à")).first.click()
    page.get_by_label("Un mot pour la personne").fill("Pour un banc.")
    page.get_by_role("button", name="Envoyer la demande").click()
    expect(page.get_by_role("status")).to_contain_text("La demande est partie")
    expect(page.get_by_text("Pour un banc.")).to_be_visible()


def test_a_booking_is_moved_by_clicks(region: Region, seats: Seats) -> None:
    path = things.bookable(region.lille, "karim", things.title_of_its_own("Perceuse à colonne"))
    booking = things.book(region.lille, "marie", path, things.free_period(region.lille, "marie", path))
    region.lille.members["karim"].post(f"booking/bookings/{booking['id']}/approve")
    page = seats.member(region.lille, "marie").go(f"/bookings/{booking['id']}")
    before = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="Déplacer…").click()
    end = page.get_by_label("Nouvelle fin")
    end.fill(re.sub(r"T(\d\d)", lambda hour: f"T{int(hour[1]) + 1:02}", end.input_value()))
    page.get_by_label("Un mot pour la personne").fill("Une heure de plus.")
    page.get_by_role("button", name="Demander ce changement").click()
    expect(page.get_by_role("status")).to_contain_text("L'ancienne période reste gardée")
    expect(page.get_by_role("heading", level=1)).to_have_text(before)

    other = seats.member(region.lille, "karim").go(f"/bookings/{booking['id']}")
    expect(other.get_by_text("Une heure de plus.")).to_be_visible()
    other.get_by_role("button", name="Accepter le changement").click()
    expect(other.get_by_role("status")).to_contain_text("est déplacée")
    expect(other.get_by_role("heading", level=1)).not_to_have_text(before)


def test_the_enter_key_saves_the_rules_instead_of_adding_a_row(region: Region, seats: Seats) -> None:
    path = things.bookable(region.lille, "karim", things.title_of_its_own("Ponceuse"))
    page = seats.member(region.lille, "karim").go(f"/offers/{path.split('/')[-1][:36]}/booking-rules")
    page.get_by_text("Prix, caution, consignes, annulation").click()
    page.get_by_label("Caution").fill("Un chèque de 50 €")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("règles de réservation sont enregistrées")
    expect(page.get_by_text("Caution : Un chèque de 50 €")).to_be_visible()
