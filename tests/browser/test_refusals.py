"""When the answer is no: nothing typed is lost, and the page says what would work."""

import re

from playwright.sync_api import expect

from tests.browser import things
from tests.browser.seats import Seats, at_work
from tests.journeys.conftest import Region


def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong(region: Region, seats: Seats) -> None:
    page = seats.member(region.lille, "marie").go("/needs/new")
    title = things.title_of_its_own("Vélo cargo pour un déménagement")
    page.get_by_role("radio", name=re.compile("^Matériel")).check()
    page.get_by_label("En quelques mots").fill(title)
    page.get_by_label("Ce qu'il faut savoir").fill("Dix cartons.\nTroisième étage.")
    page.get_by_label("À partir de quand ?").fill("2030-05-03T10:00")
    page.get_by_label("Jusqu'à quand ?").fill("2030-05-02T10:00")
    page.get_by_role("radio", name=re.compile("^Les coopératives liées")).check()
    page.get_by_role("button", name="Publier").click()

    problem = page.get_by_role("alert")
    expect(problem).to_be_focused()
    expect(page.get_by_role("radio", name=re.compile("^Matériel"))).to_be_checked()
    expect(page.get_by_label("En quelques mots")).to_have_value(title)
    expect(page.get_by_label("Ce qu'il faut savoir")).to_have_value("Dix cartons.\nTroisième étage.")
    expect(page.get_by_label("Jusqu'à quand ?")).to_have_value("2030-05-02T10:00")
    expect(page.get_by_role("radio", name=re.compile("^Les coopératives liées"))).to_be_checked()

    page.get_by_label("Jusqu'à quand ?").fill("2030-05-04T10:00")
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_a_period_that_was_just_taken_gives_way_to_alternatives(region: Region, seats: Seats) -> None:
    path = things.bookable(region.lille, "karim", things.title_of_its_own("Scie à format"))
    period = things.free_period(region.lille, "marie", path)
    page = seats.member(region.lille, "marie").go(
        f"{path}?at={period['start'].replace('+', '%2B')}/{period['end'].replace('+', '%2B')}"
    )
    page.get_by_label("Un mot pour la personne").fill("Pour des étagères.")
    things.book(region.lille, "julie", path, period)
    page.get_by_role("button", name="Envoyer la demande").click()

    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("Voici ce qui reste, au plus près")
    instead = problem.get_by_role("button").first
    said = instead.inner_text()
    instead.click()
    expect(page.get_by_role("status")).to_contain_text("La demande est partie")
    expect(page.get_by_role("heading", level=1)).to_have_text(said)
    expect(page.get_by_text("Pour des étagères.")).to_be_visible()


def test_a_wrong_password_keeps_the_address_and_says_no_more_than_needed(region: Region, seats: Seats) -> None:
    visitor = seats.visitor(region.lille)
    page = visitor.go("/account/sign-in")
    page.get_by_label("Adresse de courriel").fill("marie@opteos.example")
    page.get_by_label("Mot de passe").fill("not-the-password")
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Adresse de courriel")).to_have_value("marie@opteos.example")
    expect(page.get_by_label("Mot de passe")).to_have_value("")
    visitor.complaints = [said for said in visitor.complaints if "status of 401" not in said]


def test_what_was_written_outlives_a_session_that_has_ended(region: Region, seats: Seats) -> None:
    seat = seats.member(region.lille, "karim")
    title = things.title_of_its_own("Trois tréteaux")
    page = seat.go("/needs/new")
    page.get_by_role("radio", name=re.compile("^Matériel")).check()
    page.get_by_label("En quelques mots").fill(title)
    page.context.clear_cookies()
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_label("Mot de passe")).to_be_visible()

    seat.sign_in()
    seat.go("/needs/new")
    expect(page.get_by_label("En quelques mots")).to_have_value(title)
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    at_work(page)
    seat.go("/needs/new")
    expect(page.get_by_label("En quelques mots")).to_have_value("")
