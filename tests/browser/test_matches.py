"""Saved searches, being put in touch, and what counts in matches, as people live them with pages and mails."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from playwright.sync_api import Page, expect

from deploy.demo.api import Json, wait_for
from deploy.demo.seed import LASER
from services.portal.looks import listing_path
from tests.browser import things
from tests.browser.seats import Seats
from tests.journeys.conftest import Region
from tests.journeys.test_matches import later, news, question

_PHONE = {"viewport": {"width": 360, "height": 740}}
_MOST_TABS = 60
_PROPOSAL = """INSERT INTO weights (made_at, factors, report) VALUES (now(), '{"kind": 1.5, "distance": 0.5}',
               '{"answers": 80, "pairs": 20, "old": 0.7, "new": 0.8}')"""


def test_a_search_is_kept_told_at_once_paused_and_stopped_by_its_mail_without_an_account(
    region: Region, seats: Seats
) -> None:
    word = things.title_of_its_own("Guillotine").replace(" ", "")
    page = seats.member(region.lille, "marie", **_PHONE).go(f"/search?q={word}")
    page.get_by_role("button", name="M'avertir de ce qui arrive").click()
    expect(page.get_by_role("status")).to_be_visible()
    card = page.get_by_role("article").filter(has_text=word)
    expect(card).to_contain_text("chaque matin")
    card.get_by_text("Changer").click()
    card.get_by_role("radio", name="tout de suite").check()
    card.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("article").filter(has_text=word)).to_contain_text("tout de suite")

    things.bookable(region.namur, "paul", f"{word} pour papier")
    wait_for("the alert", lambda: news(region, "marie", "searches-found", word))
    marie: Any = region.lille.members["marie"]
    link = re.compile(r"https?://[^/\s]+(/searches/[\w-]+/stop/[\w-]+)")
    path = wait_for("the mail", lambda: region.mailbox.newest(marie.email, link))
    stranger = seats.visitor(region.lille, **_PHONE).go(path)
    expect(stranger.get_by_role("heading", level=1)).to_contain_text(word)
    stranger.get_by_role("button", name="Ne plus m'avertir").click()
    expect(stranger.get_by_role("heading", level=1)).to_have_text("C'est arrêté")

    page.reload()
    card = page.get_by_role("article").filter(has_text=word)
    expect(card).to_contain_text("en pause")
    expect(card).to_contain_text("1 trouvaille")
    card.get_by_role("button", name="Reprendre").click()
    expect(page.get_by_role("article").filter(has_text=word).get_by_text("en pause", exact=True)).to_have_count(0)
    page.get_by_role("article").filter(has_text=word).get_by_role("button", name="Supprimer").click()
    expect(page.get_by_role("article").filter(has_text=word)).to_have_count(0)


def test_a_yes_by_keys_alone_gives_both_their_addresses(region: Region, seats: Seats) -> None:
    made = _not_bookable(region, "Savoir-faire")
    asked = _ask(region, seats, made)
    page = seats.member(region.lille, "karim", **_PHONE).go("/introductions")
    expect(page.get_by_role("heading", level=1)).to_contain_text("voudr")
    _tab_to(page, made["title"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("voudrait vous joindre")
    marie: Any = region.lille.members["marie"]
    expect(page.get_by_role("main")).not_to_contain_text(marie.email)
    _tab_to(page, "Accepter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("C'est accepté")
    wait_for("the yes", lambda: question(region, "marie", asked, "accepted"))
    seat = seats.member(region.lille, "marie", **_PHONE)
    seat.go(f"/introductions/{asked}")
    karim: Any = region.lille.members["karim"]
    address = seat.page.get_by_role("link", name=karim.email)
    seat.reload_until("Karim's address", address.is_visible)
    expect(seat.page.get_by_role("heading", level=1)).to_have_text("Vous êtes en contact")


def test_a_no_says_its_reason_and_gives_nothing(region: Region, seats: Seats) -> None:
    made = _not_bookable(region, "Conseil")
    asked = _ask(region, seats, made)
    page = seats.member(region.lille, "karim", **_PHONE).go(f"/introductions/{asked}")
    page.get_by_role("button", name="Cela ne correspond pas").click()
    expect(page.get_by_role("status")).to_contain_text("C'est refusé, sans rien donner")
    wait_for("the no", lambda: question(region, "marie", asked, "declined"))
    answer = seats.member(region.lille, "marie", **_PHONE).go(f"/introductions/{asked}").get_by_role("main")
    expect(answer).to_contain_text("Raison : « Cela ne correspond pas ».")
    expect(answer).to_contain_text("Aucune adresse n'a été donnée.")
    karim: Any = region.lille.members["karim"]
    expect(answer).not_to_contain_text(karim.email)


def test_proposed_weights_count_only_after_a_coordinators_yes(region: Region, seats: Seats) -> None:
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright keeps this thread's loop busy
        elsewhere.submit(later, region, _PROPOSAL).result()
    page = seats.member(region.lille, "claire", **_PHONE).go("/coordination/weights")
    expect(page.get_by_role("heading", level=1)).to_have_text("Une proposition attend votre avis")
    kind = page.get_by_role("row").filter(has_text="le même genre")
    expect(kind.get_by_role("cell").first).to_have_text("× 1")
    expect(kind.get_by_role("cell").last).to_have_text("× 1,5")
    expect(page.get_by_text("Tirée de 80 réponses.")).to_be_visible()
    page.get_by_role("button", name="Non, garder ceux d'aujourd'hui").click()
    expect(page.get_by_role("status")).to_contain_text("rien ne change")
    page.get_by_role("button", name="Utiliser ceux-ci").first.click()
    expect(page.get_by_role("status")).to_contain_text("C'est noté")
    expect(page.get_by_role("row").filter(has_text="le même genre").get_by_role("cell").first).to_have_text("× 1,5")


def _not_bookable(region: Region, words: str) -> Json:
    """An offer of Karim's that one can only ask about, as soon as Marie finds it."""
    form = LASER | {"title": things.title_of_its_own(words), "kind": "expertise"}
    made: Json = region.lille.members["karim"].post("catalog/listings", form)
    marie = region.lille.members["marie"]
    wait_for("the index", lambda: made["title"] in str(marie.get("matching/search", q=made["title"])["items"]))
    return made


def _ask(region: Region, seats: Seats, made: Json) -> str:
    """Marie asks about an offer on its page; the id of her question."""
    page = seats.member(region.lille, "marie", **_PHONE).go(listing_path(made))
    page.get_by_label("Votre message").fill("Bonjour, pourriez-vous m'aider samedi ?")
    page.get_by_role("button", name=re.compile("^Demander")).click()
    expect(page.get_by_role("status")).to_contain_text("La demande est partie")
    return page.url.rpartition("/")[2].partition("?")[0]


def _tab_to(page: Page, name: str) -> None:
    """As a person without a mouse: Tab until what has `name` is reached."""
    page.wait_for_load_state("load")
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        if name in (page.evaluate("document.activeElement.textContent") or ""):
            return
    raise AssertionError(f"the Tab key never comes to {name}")
