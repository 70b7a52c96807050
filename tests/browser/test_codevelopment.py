"""Story 6 on a telephone: a co-development session planned, filled, waited for and passed on, by tapping alone."""

import re

from playwright.sync_api import Page, expect

from tests.browser import things
from tests.browser.seats import Seats, fits
from tests.journeys.conftest import Region

PHONE = {"width": 360, "height": 740}


def test_co_development_is_planned_and_filled_on_a_phone(region: Region, seats: Seats) -> None:
    title = things.title_of_its_own("Codéveloppement")
    marie = _plan(seats, region, title)
    karim = _sign_up(seats, region, "karim", marie.url, "Client·e")
    expect(karim.get_by_text("Vous avez une place")).to_be_visible()
    fits(karim)
    expect(karim.get_by_role("link", name="Rejoindre la séance")).to_have_attribute(
        "href", "https://video.example/salle"
    )
    julie = _sign_up(seats, region, "julie", marie.url, "Client·e")
    expect(julie.get_by_text("Vous êtes en position 1 de la liste d'attente")).to_be_visible()
    fits(julie)
    expect(julie.get_by_role("link", name="Rejoindre la séance")).to_have_count(0)

    karim.get_by_role("button", name="Laisser ma place").click()
    expect(karim.get_by_role("button", name="Laisser ma place")).to_have_count(0)
    julie.reload()
    expect(julie.get_by_text("Une place vous est proposée")).to_be_visible()
    fits(julie)
    julie.get_by_role("button", name="Accepter la place").click()
    expect(julie.get_by_text("Vous avez une place")).to_be_visible()

    julie.get_by_role("link", name="Toutes les dates").click()
    dates = julie.get_by_role("link", name=title)
    expect(dates).to_have_count(2)
    dates.last.click()
    expect(julie.get_by_text("vous laissez passer les autres")).to_be_visible()
    julie.get_by_role("radio", name=re.compile("^Client")).check()
    julie.get_by_role("button", name="M'inscrire").click()
    expect(julie.get_by_text("Vous êtes en position 1 de la liste d'attente")).to_be_visible()


def _plan(seats: Seats, region: Region, title: str) -> Page:
    """Two dates, a fortnight apart, with the facilitator's place taken; the page of the first."""
    marie = seats.member(region.lille, "marie", viewport=PHONE).go("/sessions")
    marie.get_by_role("link", name="Prévoir une séance").click()
    marie.get_by_role("link", name=re.compile("^Codéveloppement")).click()
    fits(marie)
    marie.get_by_label("Titre").fill(title)
    marie.get_by_label("Adresse de la visioconférence").fill("https://video.example/salle")
    marie.get_by_text("Répétition").click()
    marie.get_by_label("La séance a lieu").select_option("fortnightly")
    marie.get_by_label("Combien de fois en tout ?").fill("2")
    marie.get_by_role("button", name="Prévoir la séance").click()

    expect(marie.get_by_role("heading", level=1)).to_have_text(title)
    expect(marie.get_by_text("Rôle : Animation")).to_be_visible()
    expect(marie.get_by_role("table")).to_contain_text("Exposé de la situation")
    expect(marie.get_by_text("Ce qui se dit en séance reste en séance.")).to_be_visible()
    expect(marie.get_by_text("Il manque encore du monde")).to_contain_text("Consultant·e (0 sur 4 au moins)")
    fits(marie)
    return marie


def _sign_up(seats: Seats, region: Region, who: str, url: str, role: str) -> Page:
    seat = seats.member(region.lille, who, viewport=PHONE)
    page = seat.go(url.removeprefix(region.lille.url))
    page.get_by_role("radio", name=re.compile(f"^{role}")).check()
    page.get_by_role("button", name="M'inscrire").click()
    return page
