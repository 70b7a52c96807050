"""The main job, clicked: a need in Lille, a machine in Namur, two people and their two browsers."""

import re

from playwright.sync_api import Page, expect

from deploy.demo import story
from tests.browser import things
from tests.browser.seats import Seat, Seats, next_week
from tests.journeys.conftest import Region


def test_a_need_becomes_a_booking_that_both_sides_see_and_that_is_called_off(region: Region, seats: Seats) -> None:
    title = things.title_of_its_own("Découpeuse laser")
    things.bookable(region.namur, "paul", title)
    marie = seats.member(region.lille, "marie")
    paul = seats.member(region.namur, "paul")

    _post_a_need(marie)
    _open_the_match(marie, title)
    _pick_two_hours(marie.page)
    _ask(marie.page, "Première visite : je viendrai un peu avant.")
    asked_on = marie.page.url
    _paul_sees_a_request_without_her_name(paul, title)
    _watch_the_messages(marie)
    paul.page.get_by_role("article").filter(has_text=title).get_by_role("button", name="Accepter").click()
    expect(paul.page.get_by_role("status")).to_contain_text("C'est accepté")
    _read_it_without_reloading(marie.page, title)
    marie.page.goto(asked_on)
    marie.reload_until("the confirmation", lambda: marie.page.get_by_text("confirmée", exact=True).is_visible())
    expect(marie.page.get_by_text("Rue des Carmes 22, Namur")).to_be_visible()
    expect(marie.page.get_by_text("Paul Dumont (OpenFlow)").first).to_be_visible()
    _call_it_off(marie)


def _post_a_need(marie: Seat) -> None:
    page = marie.go("/")
    page.get_by_role("banner").get_by_role("link", name="Demander").click()
    page.get_by_role("radio", name=re.compile("^Machine")).check()
    page.get_by_label("En quelques mots").fill(story.NEED["title"])
    page.get_by_label("Ce qu'il faut savoir").fill(story.NEED["text"])
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(story.NEED["title"])
    expect(page.get_by_role("status")).to_contain_text("Votre demande est publiée")


def _open_the_match(marie: Seat, title: str) -> None:
    page = marie.page
    match = page.get_by_role("article").filter(has_text=title)
    marie.reload_until("the match", match.is_visible)
    expect(match).to_contain_text("chez OpenFlow")
    if (more := match.get_by_text(re.compile("autres? raisons?$"))).count():
        more.click()
    reasons = match.get_by_role("listitem")
    expect(reasons.filter(has_text="même genre : machine")).to_have_count(1)
    expect(reasons.filter(has_text="mots en commun")).to_have_count(1)
    match.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_text("OpenFlow décide")).to_be_visible()


def _pick_two_hours(page: Page) -> None:
    """The first free hour of next week, and with Shift the last half hour of the two."""
    next_week(page)
    free = page.get_by_role("table").get_by_role("button", name=re.compile("9 h à 9 h 30, libre")).first
    name = free.get_attribute("aria-label")
    assert name is not None
    day, _, _ = name.partition(", ")
    free.click()
    page.get_by_role("button", name=f"{day}, 10 h 30 à 11 h, libre").click(modifiers=["Shift"])
    expect(page.get_by_role("button", name=re.compile(f"^{day}"), pressed=True)).to_have_count(5)
    expect(page.get_by_label("Début")).to_have_value(re.compile("T09:00$"))
    expect(page.get_by_label("Fin")).to_have_value(re.compile("T11:30$"))


def _ask(page: Page, note: str) -> None:
    page.get_by_label("Un mot pour la personne").fill(note)
    page.get_by_role("button", name="Envoyer la demande").click()
    expect(page.get_by_role("status")).to_contain_text("La demande est partie")
    expect(page.get_by_text("en attente de réponse", exact=True)).to_be_visible()


def _paul_sees_a_request_without_her_name(paul: Seat, title: str) -> None:
    page = paul.go("/")
    request = page.get_by_role("article").filter(has=page.get_by_role("button", name="Accepter")).filter(has_text=title)
    paul.reload_until("the request", request.is_visible)
    expect(page.get_by_role("heading", level=1)).to_contain_text("attend")
    expect(request).to_contain_text("une personne de la coopérative Optéos")
    expect(request).to_contain_text("je viendrai un peu avant")
    assert "Marie" not in request.inner_text()


def _watch_the_messages(marie: Seat) -> None:
    with marie.page.expect_response("**/inbox/live"):
        marie.go("/inbox")
    everything_read = marie.page.get_by_role("button", name="Tout marquer comme lu")
    if everything_read.is_visible():
        with marie.page.expect_response("**/inbox/live"):
            everything_read.click()
    expect(marie.page.get_by_role("heading", name="Rien de nouveau")).to_be_visible()


def _read_it_without_reloading(page: Page, title: str) -> None:
    news = page.get_by_role("status").filter(has_text="De nouveaux messages sont arrivés")
    expect(news).to_contain_text(title)
    expect(page.get_by_role("navigation", name="Rubriques").get_by_text(re.compile(r"^[1-9]\d*$"))).to_be_visible()
    news.get_by_role("link").click()
    expect(page.get_by_role("heading", name=title).first).to_be_visible()
    expect(page.get_by_text("Réservation confirmée").first).to_be_visible()


def _call_it_off(marie: Seat) -> None:
    page = marie.page
    page.get_by_role("link", name="Annuler…").click()
    expect(page.get_by_text("Cela ne se défait pas")).to_be_visible()
    page.get_by_label("Un mot d'explication").fill("Le stand est annulé.")
    page.get_by_role("button", name="Annuler la réservation").click()
    expect(page.get_by_role("status").first).to_contain_text("L'annulation est partie")
    marie.reload_until("the cancellation", lambda: page.get_by_text("annulée", exact=True).is_visible())
    expect(page.get_by_role("list").filter(has_text="Annulée")).to_be_visible()
