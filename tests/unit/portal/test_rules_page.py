"""The rules of an offer: what is saved is shown again, rows come and go, what is wrong stands beside its field."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import (
    CIRCLE,
    NOW,
    OFFER,
    PEER,
    PEER_OFFER,
    Pretend,
    Rule,
    listing,
    problem,
    resource,
    terms,
)
from tests.unit.portal.test_pages import Outline

PAGE = f"/offers/{OFFER}/booking-rules"
SAVED = f"/api/booking/resources/{OFFER}"


def day(number: int) -> str:
    return (NOW + timedelta(days=number)).date().isoformat()


MUCH = terms(
    seasons=[
        {"label": "Été", "begins": "06-01", "ends": "08-31",
         "opening_hours": [{"weekday": 2, "opens": "08:00", "closes": "12:00"},
                           {"weekday": 2, "opens": "14:00", "closes": "24:00"}]},
    ],
    closures=[{"first": day(10), "last": day(12), "label": "Inventaire"},
              {"first": day(20), "last": day(20), "label": ""}],
    holidays="FR-57", approvals_needed=2, circle_ids=[CIRCLE["id"]], roles=["coordinator"], peers=False,
    peers_within_days=14,
    quotas=[{"scope": "member", "per": "week", "unit": "bookings", "most": 3}],
    price={"kind": "hourly", "amount": "4.50", "currency": "EUR"}, deposit="150 €",
    instructions="La clé est à l'accueil.", cancel_notice_minutes=2880,
)  # fmt: skip


def owner(**rules: Rule) -> Pretend:
    own: dict[str, Rule] = {
        f"GET catalog /listings/{OFFER}": lambda _: listing(may_edit=True),
        f"GET booking /resources/{OFFER}": lambda _: resource(may_edit=True, capacity=7, terms=MUCH),
        f"PUT booking /resources/{OFFER}": lambda _: resource(),
    }
    return Pretend(rules=own | rules)


def typed_in(page: str) -> dict[str, Any]:
    """Every field of the form as a browser would send it."""
    form = page.split('action="/offers/', 1)[1].split("</form>", 1)[0]
    outline = _Fields()
    outline.feed("<form action=" + form + "</form>")
    return outline.values


class _Fields(Outline):
    """The values of a form's fields."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._select, self._area = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        name, value = at.get("name") or "", at.get("value") or ""
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area = name
            self.values[name] = [""]
        elif tag == "option" and ("selected" in at or self._select not in self.values):
            self.values[self._select] = [value]
        elif tag == "input" and (at.get("type") not in {"checkbox", "radio"} or "checked" in at):
            self.values.setdefault(name, []).append(value)

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""


@pytest.mark.parametrize("language", ["fr", "nl", "en"])
async def test_the_page_with_everything_is_whole(browse: Browse, language: str) -> None:
    client = browse(owner())
    client.cookies.set("maillage_opteos_language", language, domain="portal.test")
    outline = Outline()
    outline.feed((await client.get(PAGE)).text)
    assert outline.open == []
    assert outline.inline == []
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.references <= set(outline.ids)


async def test_what_was_saved_comes_back_as_it_was(browse: Browse) -> None:
    pretend = owner()
    client = browse(pretend)
    answer = await client.post(PAGE, data=typed_in((await client.get(PAGE)).text))
    assert answer.status_code == 303
    (body,) = pretend.bodies("PUT", SAVED)
    assert body["capacity"] == "7"
    sent = body["terms"] | {"approvals_needed": 2, "peers_within_days": 14, "cancel_notice_minutes": 2880}
    sent["quotas"] = [quota | {"most": int(quota["most"])} for quota in sent["quotas"]]
    assert sent == MUCH | {"price": {"kind": "hourly", "amount": "4.50"}}


async def test_one_more_row_keeps_everything_and_saves_nothing(browse: Browse) -> None:
    pretend = owner()
    client = browse(pretend)
    typed = typed_in((await client.get(PAGE)).text) | {"terms_deposit": "Une carte", "more": "closures"}
    answer = await client.post(PAGE, data=typed)
    assert pretend.bodies("PUT", SAVED) == []
    again = typed_in(answer.text)
    assert again["rows_closures"] == ["4"]
    assert again["terms_closures_3_first"] == [""]
    assert again["terms_deposit"] == ["Une carte"]
    assert again["terms_closures_0_label"] == ["Inventaire"]


async def test_emptied_rows_disappear(browse: Browse) -> None:
    pretend = owner()
    client = browse(pretend)
    typed = typed_in((await client.get(PAGE)).text)
    typed |= {"terms_closures_0_first": "", "terms_closures_0_last": "", "terms_seasons_0_from_day": "",
              "terms_seasons_0_to_day": "", "terms_quotas_0_most": ""}  # fmt: skip
    await client.post(PAGE, data=typed)
    (body,) = pretend.bodies("PUT", SAVED)
    assert [one["first"] for one in body["terms"]["closures"]] == [day(20)]
    assert body["terms"]["seasons"] == body["terms"]["quotas"] == []


async def test_what_is_wrong_stands_beside_its_field_also_after_rows_were_emptied(browse: Browse) -> None:
    errors = [
        {"field": "terms.closures.0.last", "detail": "Pas une date."},
        {"field": "terms.seasons.0.opening_hours.1.opens", "detail": "Pas une heure."},
        {"field": "terms.holidays", "detail": "Inconnu."},
        {"field": "capacity", "detail": "Trop."},
    ]
    wrong = problem(422, "invalid-fields", "À corriger.", errors=errors)
    rules: dict[str, Rule] = {f"PUT booking /resources/{OFFER}": lambda _: wrong}
    client = browse(owner(**rules))
    typed = typed_in((await client.get(PAGE)).text) | {"terms_closures_0_first": "", "terms_closures_0_last": ""}
    page = (await client.post(PAGE, data=typed)).text
    for name in ("terms_closures_0_last", "terms_seasons_0_opening_hours", "terms_holidays", "capacity"):
        assert f'id="e-{name}"' in page
        assert f'href="#f-{name}"' in page
        assert f'id="f-{name}"' in page
    assert typed_in(page)["terms_closures_0_first"] == [day(20)]


async def test_a_new_offer_takes_the_usual_conditions(browse: Browse) -> None:
    pretend = owner()
    client = browse(pretend)
    page = await client.get("/offers/new")
    data = fill(page, kind="space", title="Salle", audience_scope="public", bookable="yes", capacity="3", open_days="0")
    await client.post("/offers/new", data=data)
    (body,) = pretend.bodies("PUT", SAVED)
    assert body["capacity"] == "3"
    assert "terms" not in body


async def test_the_offer_says_its_rules_in_sentences(browse: Browse) -> None:
    page = (await browse(owner()).get(f"/offers/{OFFER}")).text.replace("\N{NO-BREAK SPACE}", " ")
    for sentence in (
        "Il faut deux accords.", "4,50 € par heure.", "Caution : 150 €", "Jusqu&#39;à 7 à la fois.",
        "On peut annuler jusqu&#39;à 2 jours avant le début.", "Pour le cercle Couture.", "Pour : équipe d&#39;appui.",
        "Au plus 3 réservations par semaine et par membre.", "Les coopératives liées ne réservent pas.",
        "Fermé les jours fériés (Alsace-Moselle).", "Autres heures du 1er juin au 31 août.", "(Inventaire)",
    ):  # fmt: skip
        assert sentence.replace("&#39;", "'") in page.replace("&#39;", "'"), sentence
    assert "La clé est" not in page


async def test_a_peers_offer_says_from_when_guests_may_book(browse: Browse) -> None:
    theirs = resource(origin=PEER, origin_name="OpenFlow (Namur)", terms=terms(peers_within_days=14))
    rules: dict[str, Rule] = {f"GET booking /resources/{PEER_OFFER}": lambda _: theirs}
    pretend = Pretend(rules=rules)
    page = (await browse(pretend).get(f"/from/{PEER}/offers/{PEER_OFFER}")).text
    assert "vous pouvez réserver 14 jours à l'avance" in page.replace("&#39;", "'")


async def test_limits_of_a_category_are_set_and_refused_beside_their_row(browse: Browse) -> None:
    wrong = problem(422, "invalid-fields", "À corriger.", errors=[{"field": "quotas.1.most", "detail": "Deux fois."}])
    answers = [wrong, None]
    pretend = Pretend(role="coordinator", rules={"PUT booking /quotas": lambda _: answers.pop(0)})
    client = browse(pretend)
    shown = await client.get("/coordination/limits?category=atelier")
    again = await client.post("/coordination/limits", data=_fields(shown.text) | {"more": "quotas"})
    data = _fields(again.text)
    assert data["rows_quotas"] == ["3"]
    data |= {"terms_quotas_1_most": "3", "terms_quotas_1_scope": "member", "terms_quotas_1_unit": "hours"}
    refused = await client.post("/coordination/limits", data=data)
    assert 'id="e-terms_quotas_1_most"' in refused.text
    assert (await client.post("/coordination/limits", data=_fields(refused.text))).status_code == 303
    sent = pretend.bodies("PUT", "/api/booking/quotas")[-1]
    assert sent["category"] == "atelier"
    assert [quota["most"] for quota in sent["quotas"]] == ["12", "3"]


def _fields(page: str) -> dict[str, Any]:
    outline = _Fields()
    outline.feed(page.split('action="/coordination/limits"', 1)[1].split("</form>", 1)[0])
    return outline.values
