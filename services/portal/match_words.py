"""Words for what matching answers: why, what is missing, and how results can be narrowed."""

from typing import Any

from services.portal.language import N_
from services.portal.words import KINDS

DECLINES: dict[str, str] = {
    "too_far": N_("Trop loin"),
    "not_it": N_("Pas ce que je cherche"),
    "gone": N_("Plus disponible"),
}
REFUSALS: dict[str, str] = DECLINES | {"not_it": N_("Cela ne correspond pas")}
"""Why somebody who was asked says no: of an offer, its owner looks for nothing."""

HOWS: dict[str, str] = {
    "instant": N_("tout de suite"),
    "daily": N_("chaque matin"),
    "weekly": N_("chaque lundi"),
}
TERMS: dict[str, str] = {
    "relevance": N_("les mots et le sens"),
    "kind": N_("le même genre"),
    "category": N_("la même catégorie"),
    "distance": N_("la proximité"),
    "free": N_("être libre à ce moment"),
}
"""What is learnt from answers (`services.matching.learning.TERMS`)."""

FACETS: dict[str, str] = {
    "side": N_("Offres ou demandes"),
    "kind": N_("Genre"),
    "topic": N_("Catégorie"),
    "origin": N_("Coopérative"),
    "tag": N_("Étiquette"),
    "free": N_("Libre"),
    "spoken": N_("Langue du texte"),
    "km": N_("Distance"),
}


def facet_label(facet: str, choice: dict[str, Any], languages: dict[str, str], ours: str) -> str:
    """A choice of a facet, as a marked French text or a name of its own."""
    value, label = str(choice["value"]), str(choice["label"])
    if facet == "side":
        return N_("offres") if value == "offer" else N_("demandes")
    if facet == "kind":
        return KINDS.get(value, value)
    if facet == "spoken":
        return languages.get(value, value)
    if facet == "origin":
        return ours if value == "ours" else label
    return f"≤ {value} km" if facet == "km" else label


def say_reason(words: Any, code: str, value: str) -> str:
    """A reason of matching as words: "à 4 km", "mots en commun : couture". `words` is a language's Words."""
    if code == "kind":
        kind = words.gettext(KINDS.get(value, value))
        return words.gettext("même genre : %(value)s") % {"value": kind}
    if code == "distance" and value == "0":
        return words.gettext(N_("tout près"))
    texts = {
        "words": N_("mots en commun : %(value)s"),
        "meaning": N_("proche de votre demande : %(value)s"),
        "rested": N_("pas encore sollicité ce mois-ci"),
        "topic": N_("même sorte de chose : %(value)s"),
        "category": N_("catégorie : %(value)s"),
        "distance": N_("à %(value)s km"),
        "free": N_("libre : %(value)s"),
        "days": N_("libre %(value)s"),
        "quantity": N_("quantité : %(value)s"),
        "owed": N_("%(value)s emprunte plus souvent chez nous que l'inverse"),
        "owing": N_("nous empruntons plus souvent chez %(value)s que l'inverse"),
    }
    other = N_("parce que : %(value)s")
    return words.gettext(texts.get(code, other)) % {"value": value}


_TELLING = ("meaning", "distance", "days", "free", "words", "topic", "quantity", "kind", "category")
"""What helps most to choose comes first."""
SHOWN = 3
"""Reasons that a card shows at once; two more are not worth a fold."""


def in_short(reasons: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The reasons that a card shows at once, and those behind "other reasons"; what says the same is said once."""
    said = {one["code"] for one in reasons}
    alike = {one["value"] for one in reasons if one["code"] == "topic"}
    told = [
        one
        for one in reasons
        if not (one["code"] == "free" and "days" in said) and not (one["code"] == "category" and one["value"] in alike)
    ]
    told.sort(key=lambda one: _TELLING.index(one["code"]) if one["code"] in _TELLING else len(_TELLING))
    return (told, []) if len(told) <= SHOWN + 1 else (told[:SHOWN], told[SHOWN:])


def say_lack(words: Any, code: str, value: str, by: str = "") -> str:
    """What was missing for a match, as words: "3 km trop loin (153 km)". `by`: how much is missing, as shown."""
    texts = {
        "words": N_("peu de mots en commun"),
        "meaning": N_("trop éloigné par le sens"),
        "category": N_("autre catégorie : %(value)s"),
        "kind": N_("autre genre : %(value)s"),
        "distance": N_("%(by)s km trop loin (%(value)s km)") if by else N_("trop loin : %(value)s km"),
        "free": N_("libre un autre jour : %(value)s") if value else N_("pas libre à ce moment"),
        "quantity": N_("pas assez : %(value)s, il en manque %(by)s") if by else N_("pas assez : %(value)s"),
    }
    shown = words.gettext(KINDS.get(value, value)) if code == "kind" else value
    other = N_("il manque : %(value)s")
    return words.gettext(texts.get(code, other)) % {"value": shown, "by": by}
