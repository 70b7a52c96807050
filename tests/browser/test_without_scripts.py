"""The same job where no script runs: every action is a link or a form."""

import re

from playwright.sync_api import expect

from tests.browser import things
from tests.browser.seats import Seats
from tests.journeys.conftest import Region


def test_a_booking_is_asked_for_accepted_and_called_off_without_scripts(region: Region, seats: Seats) -> None:
    title = things.title_of_its_own("Fraiseuse")
    things.bookable(region.namur, "paul", title)
    things.path_in(region.lille, "marie", title)
    marie = seats.member(region.lille, "marie", java_script_enabled=False)
    paul = seats.member(region.namur, "paul", java_script_enabled=False)

    page = marie.go("/")
    page.get_by_label("Que cherchez-vous ?").fill(title)
    page.get_by_role("button", name="Chercher").click()
    page.get_by_role("link", name=title).click()
    page.get_by_role("link", name="Semaine d'après").click()
    page.get_by_role("button", name=re.compile("14 h à 14 h 30, libre")).first.click()
    expect(page.get_by_label("Début")).to_have_value(re.compile("T14:00$"))
    expect(page.get_by_label("Fin")).to_have_value(re.compile("T15:00$"))
    page.get_by_role("button", name="Envoyer la demande").click()
    expect(page.get_by_role("status")).to_contain_text("La demande est partie")

    decision = paul.go("/bookings")
    request = decision.get_by_role("article").filter(has_text=title)
    paul.reload_until("the request", request.is_visible)
    request.get_by_role("button", name="Accepter").click()
    expect(decision.get_by_role("status")).to_contain_text("C'est accepté")

    marie.reload_until("the confirmation", lambda: page.get_by_text("confirmée", exact=True).is_visible())
    page.get_by_role("link", name="Annuler…").click()
    page.get_by_role("button", name="Annuler la réservation").click()
    expect(page.get_by_role("status").first).to_contain_text("L'annulation est partie")
    marie.reload_until("the cancellation", lambda: page.get_by_text("annulée", exact=True).is_visible())


def test_a_need_is_published_read_and_withdrawn_without_scripts(region: Region, seats: Seats) -> None:
    title = things.title_of_its_own("Quelqu'un pour relire un contrat")
    page = seats.member(region.lille, "julie", java_script_enabled=False).go("/needs/new")
    page.get_by_role("radio", name=re.compile("^Compétence")).check()
    page.get_by_label("En quelques mots").fill(title)
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.get_by_role("link", name="Retirer…").click()
    page.get_by_role("button", name=re.compile("Retirer")).click()
    expect(page.get_by_role("status")).to_contain_text("C'est retiré")
    expect(page.get_by_role("article").filter(has_text=title)).to_contain_text("retirée")
