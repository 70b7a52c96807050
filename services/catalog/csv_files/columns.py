"""The columns of a CSV file, their names and the words in their cells, in French, Dutch and English."""

import re
import unicodedata

from services.catalog.kinds import KINDS

COLUMNS = (
    *["ref", "type", "genre", "titre", "texte", "categorie", "etiquettes", "langue", "lieu", "latitude", "longitude"],
    *["quantite", "unite", "visibilite", "cercles", "valable_du", "valable_jusqu_au", "du", "au", "urgence"],
)
"""As they are written on export, in this order."""

REQUIRED = ("ref", "type", "genre", "titre")

_ENGLISH = {
    "ref": "ref reference id",
    "type": "side",
    "genre": "kind",
    "titre": "title",
    "texte": "text description",
    "categorie": "category",
    "etiquettes": "etiquette tags tag",
    "langue": "language",
    "lieu": "place adresse address",
    "latitude": "lat",
    "longitude": "lon lng",
    "quantite": "quantity",
    "unite": "unit",
    "visibilite": "visibility audience",
    "cercles": "cercle circles circle",
    "valable_du": "valid_from",
    "valable_jusqu_au": "valid_until valable_jusquau",
    "du": "from window_start",
    "au": "to until window_end",
    "urgence": "urgency",
}

FIELDS = {
    "type": "side",
    "genre": "kind",
    "titre": "title",
    "texte": "text",
    "categorie": "category",
    "etiquettes": "tags",
    "langue": "language",
    "lieu": "place.label",
    "latitude": "place.latitude",
    "longitude": "place.longitude",
    "quantite": "quantity",
    "unite": "unit",
    "visibilite": "audience.scope",
    "cercles": "audience.circle_ids",
    "valable_du": "valid_from",
    "valable_jusqu_au": "valid_until",
    "du": "window_start",
    "au": "window_end",
    "urgence": "urgency",
}
"""Column → field of `ListingForm`."""

COLUMN_OF = {field: column for column, field in FIELDS.items()} | {"place": "lieu"}


def plain(word: str) -> str:
    """Lower case, without accents, with one underscore for everything else between letters and digits."""
    decomposed = unicodedata.normalize("NFKD", word.strip().lower())
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")


_BY_NAME = {name: column for column in COLUMNS for name in [column, *_ENGLISH[column].split()]}


def column_named(header: str) -> str | None:
    """The column that a header cell means; None when it is none of ours."""
    return _BY_NAME.get(plain(header))


def _words(**meanings: str) -> dict[str, str]:
    return {plain(word): value for value, words in meanings.items() for word in [value, *words.split("|")]}


WORDS: dict[str, dict[str, str]] = {
    "type": _words(offer="offre|aanbod|offres", need="besoin|demande|vraag|behoefte|besoins"),
    "genre": {plain(word): kind for kind, text in KINDS.items() for word in (kind, text.fr, text.nl, text.en)}
    | _words(
        expertise="compétences|savoir-faire",
        equipment="matériels|équipement",
        machine="machines",
        space="lieux|espace|salle",
        material="matières|matériau",
        training="formations",
        help="aide|coups de main|entraide",
        document="documents",
    ),
    "langue": _words(fr="français|french|frans", nl="néerlandais|dutch|nederlands", en="anglais|english|engels"),
    "visibilite": _words(
        circle="cercle|cercles|kring",
        cooperative="coopérative|coöperatie",
        peers="partenaires|partners",
        public="openbaar",
    ),
    "urgence": _words(low="basse|faible|laag", normal="normale|normaal", high="haute|urgent|urgente|hoog"),
}
"""Per column with a fixed choice: word (plain) → value."""

FRENCH: dict[str, dict[str, str]] = {
    "type": {"offer": "offre", "need": "besoin"},
    "genre": {kind: text.fr for kind, text in KINDS.items()},
    "langue": {"fr": "fr", "nl": "nl", "en": "en"},
    "visibilite": {"circle": "cercle", "cooperative": "cooperative", "peers": "partenaires", "public": "public"},
    "urgence": {"low": "basse", "normal": "normale", "high": "haute"},
}
"""Per column with a fixed choice: value → the word on export."""
