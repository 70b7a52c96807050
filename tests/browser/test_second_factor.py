"""The second step on a narrow phone: set up, used, taken off."""

import re
import time

from playwright.sync_api import Page, expect

from services.identity.domain.second_factor import STEP_SECONDS, Key
from tests.browser.seats import Seats, fits
from tests.journeys.conftest import Region

PHONE = {"width": 360, "height": 740}


def code(key: str, later: int = 0) -> str:
    """What an app shows, or will in so many half minutes: one older than now may be too old when it arrives."""
    return Key.read(key.replace(" ", "")).code_at(int(time.time()) // STEP_SECONDS + later)


def test_a_second_step_is_set_up_and_used_on_a_phone(region: Region, seats: Seats) -> None:
    seat = seats.member(region.lille, "julie", viewport=PHONE)
    page = seat.go("/me")
    page.get_by_role("link", name="Activer la deuxième étape").click()
    page.get_by_label("Mot de passe actuel").fill(region.lille.password)
    page.get_by_role("button", name="Commencer").click()
    key = page.get_by_label("recopiez cette clé").input_value()
    expect(page.get_by_role("img", name="Scannez cette image")).to_be_visible()
    expect(page.get_by_role("link", name="Ouvrir dans mon application")).to_have_attribute("href", _starts("otpauth:"))
    fits(page)
    page.get_by_label("Le code à six chiffres").fill(code(key))
    page.get_by_role("button", name="Activer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Vos codes de secours")
    first = page.get_by_role("listitem").filter(has=page.locator("code")).first.inner_text()
    fits(page)

    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("button", name="Se déconnecter")).to_have_count(0)
    seat.go("/account/sign-in")
    page.get_by_label("Adresse de courriel").fill(seat.person.email if seat.person else "")
    page.get_by_label("Mot de passe").fill(region.lille.password)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    page.get_by_label("Code de votre application").fill("000000")
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("alert")).to_contain_text("Ce code n'est pas le bon")
    fits(page)
    page.get_by_label("Code de votre application").fill(first)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    page.get_by_role("button", name="Se déconnecter").wait_for()

    seat.go("/me/second-factor")
    _remove(page, region.lille.password, key)
    # the second step has ended all her other sessions; a token of one of them would do for some minutes more
    seats.sessions.pop((region.lille.url, "julie"))
    region.lille.members["julie"].sign_in()


def _remove(page: Page, password: str, key: str) -> None:
    expect(page.get_by_role("heading", level=2)).to_contain_text("9 codes de secours")
    page.get_by_text("Retirer la deuxième étape").click()
    removal = page.locator('form[action="/me/second-factor/remove"]')
    removal.get_by_label("Mot de passe actuel").fill(password)
    removal.get_by_label("Code de votre application").fill(code(key, 1))
    fits(page)
    removal.get_by_role("button", name="Retirer").click()
    expect(page.get_by_role("status")).to_contain_text("La deuxième étape est retirée")


def _starts(text: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(text)}")
