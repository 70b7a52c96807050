"""Words of a text, without those that only ask."""

import re
import unicodedata
from dataclasses import dataclass

from contracts.identity import Locale

CONFIGURATIONS: dict[Locale, tuple[str, str]] = {
    "fr": ("maillage_fr", "french_stem"),
    "nl": ("maillage_nl", "dutch_stem"),
    "en": ("maillage_en", "english_stem"),
}
"""Per language: PostgreSQL's text search configuration for whole texts, and its stemmer for single words."""

LONGEST_QUERY = 2000
_SHORTEST, _BEGINNING = 3, 7

_BREAK = re.compile(r"[\W_]+")
_PHRASE = re.compile(r'["«“]([^"«»“”]+)["»”]')
_MINUS = re.compile(r"(?:^|(?<=\s))-(?=\w)([\w'’-]+)")
_MOST_SIGNS = 8

_ASKING: dict[Locale, str] = {
    "fr": """
        cherche cherchons recherche recherchons besoin besoins quelqu quelque quelques quelqu'un quelqu'une personne
        personnes avoir aurait aurais aurions faire fait faites faut faudrait falloir veux veut voulons voudrais
        voudrait voudrions souhaite souhaitons souhaitez aimerais aimerait aimerions demande demandons aide aider
        pouvoir peut peux pouvez pourrait pourriez puisse bonjour merci svp plait urgent urgence vite possible dispo
        disponible trouver trouve prete preter pret louer emprunter partager quoi dont comment combien quel quelle
        quels quelles tous tout toute toutes plus tres bien chez afin lors ainsi aussi donc alors comme sans entre
        vers apres avant pendant depuis ca cela ceci celui celle petit petite peu juste les ils elles cette cet leurs
        chaque autre autres aucun aucune si la ou
    """,
    "nl": """
        zoek zoeken gezocht nodig behoefte iemand iets hebben willen wil wilt graag kan kunnen kunt zou zouden hulp
        helpen hallo dank bedankt dringend snel mogelijk beschikbaar vinden lenen huren delen vraag vragen hoe wat
        welke alle heel goed bij zonder tussen naar voor tijdens sinds klein kleine beetje enkele onze wij we jij jullie
    """,
    "en": """
        look looking search searching seek need needs needed needing someone somebody anyone anybody something want
        wants would like please help hello thanks thank urgent quickly possible available find borrow rent share
        could can get have having how what which all very good without between toward during since small little
        some make us
    """,
}


def folded(word: str) -> str:
    """Lower case, without accents and ligatures."""
    decomposed = unicodedata.normalize("NFKD", word.lower().replace("œ", "oe").replace("æ", "ae"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


SMALL = {
    "de",
    "du",
    "des",
    "la",
    "le",
    "les",
    "un",
    "une",
    "et",
    "ou",
    "au",
    "aux",
    "en",
    "of",
    "the",
    "and",
    "to",
    "in",
    "van",
    "het",
    "een",
    "op",
    "te",
}
"""Words between the others, in our languages."""


def called(text: str) -> str:
    """A name as it is compared: folded, without signs, single letters and the small words between the others."""
    found = folded(spaced(text)).split()
    return " ".join([word for word in found if len(word) > 1 and word not in SMALL] or found)


_ASKING_WORDS = {language: {folded(word) for word in words.split()} for language, words in _ASKING.items()}


def spaced(text: str) -> str:
    """`text` with a space for everything that is neither letter nor digit.

    PostgreSQL's parser takes "natation/monitrice" for one file name and "lyon.fr" for one host otherwise.
    """
    return _BREAK.sub(" ", text.replace("\0", " ")).strip()


def of(text: str) -> list[str]:
    """The words of `text` as written, once each, in their order."""
    return list(dict.fromkeys(spaced(text[:LONGEST_QUERY]).split()))


def meaningful(text: str, language: Locale) -> list[str]:
    """The words of a request that say what is wanted. All of them again when nothing would be left.

    Single letters go (elisions: "l'atelier", "d'une"), single digits stay.
    """
    asking = _ASKING_WORDS[language]
    found = [word for word in of(text) if (len(word) > 1 or word.isdigit()) and folded(word) not in asking]
    return found or of(text)


def beginnings(text: str) -> set[str]:
    """The first letters of the words that say something, without accents and plural: a stem good enough anywhere."""
    plain = {folded(word) for word in of(text) if len(word) > _SHORTEST}
    told = {word for word in plain if not any(word in asking for asking in _ASKING_WORDS.values())}
    return {(word[:-1] if word[-1] in "sx" and len(word) > _SHORTEST + 1 else word)[:_BEGINNING] for word in told}


@dataclass(frozen=True, kw_only=True)
class Query:
    """A search as typed: what is wanted, phrases in quotes that must be there, words after a minus that must not."""

    wanted: str
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def parsed(typed: str) -> Query:
    """A search in the way of web searches. A quote that is never closed, or a lonely minus, is no sign."""
    typed = typed[:LONGEST_QUERY].replace("\0", " ")
    phrases = tuple(text for phrase in _PHRASE.findall(typed) if (text := spaced(phrase)))
    rest = _PHRASE.sub(" ", typed)
    without = tuple(text for word in _MINUS.findall(rest) if (text := spaced(word)))
    wanted = " ".join([*phrases, _MINUS.sub(" ", rest)]).strip()
    return Query(wanted=wanted, phrases=phrases[:_MOST_SIGNS], without=without[:_MOST_SIGNS])
