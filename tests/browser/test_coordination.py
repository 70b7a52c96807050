"""A coordinator at work: somebody is invited and joins, a file with a bad line is checked and imported."""

import re
from uuid import uuid4

from playwright.sync_api import expect

from deploy.demo.api import wait_for
from tests.browser.seats import Seats
from tests.journeys.conftest import Region

_JOIN = re.compile(r"https?://[^/\s]+(/account/join/[\w.~-]+)")


def test_somebody_who_was_invited_joins_by_the_mail(region: Region, seats: Seats) -> None:
    address = f"lucie-{uuid4().hex[:6]}@opteos.example"
    page = seats.member(region.lille, "claire").go("/coordination")
    page.get_by_role("main").get_by_role("link", name=re.compile("^Membres")).click()
    page.get_by_text("Inviter quelqu'un").click()
    page.get_by_label("Adresse de courriel").fill(address)
    page.get_by_label("Nom", exact=False).first.fill("Lucie Carpentier")
    page.get_by_role("button", name="Envoyer l'invitation").click()
    expect(page.get_by_role("status")).to_contain_text("L'invitation est partie")
    expect(page.get_by_role("listitem").filter(has_text=address)).to_be_visible()

    path = wait_for("the mail", lambda: region.mailbox.newest(address, _JOIN))
    join = seats.visitor(region.lille).go(path)
    join.get_by_label("Mot de passe").fill("une-phrase-qui-se-retient")
    join.get_by_role("main").get_by_role("button").last.click()
    expect(join.get_by_role("status")).to_contain_text("Bienvenue")
    expect(join.get_by_role("heading", level=1)).to_contain_text("Lucie Carpentier")


def test_a_file_with_a_bad_line_is_explained_and_the_good_ones_are_imported(region: Region, seats: Seats) -> None:
    title = f"Salle voûtée {uuid4().hex[:6]}"
    lines = ["ref;type;genre;titre", f"{uuid4().hex};offre;lieu;{title}", f"{uuid4().hex};offre;fusée;Une fusée"]
    page = seats.member(region.lille, "claire").go("/coordination/import")
    file = {"name": "salles.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode("cp1252")}
    page.get_by_label("Fichier CSV").set_input_files(file)  # pyright: ignore[reportArgumentType] - a FilePayload
    page.get_by_role("button", name="Vérifier le fichier").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("1 problème à corriger")
    bad = page.get_by_role("row").filter(has_text="fusée").first
    expect(bad.get_by_role("cell").nth(0)).to_have_text("3")
    expect(bad.get_by_role("cell").nth(1)).to_have_text("genrefusée")
    expect(bad.get_by_role("cell").nth(2)).to_contain_text("Mot inconnu")
    page.get_by_role("button", name="Importer 1 ligne").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import terminé")
    expect(page.get_by_text("1 nouvelle annonce")).to_be_visible()
