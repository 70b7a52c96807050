"""What a request in Dutch says, word by word in English.

So small a model knows few Dutch words; a dictionary knows many. What somebody asks for is therefore encoded a second
time, as its words are in English, and both vectors together are its meaning. Word by word it is no translation, and
need be none. Words are taken apart where they are compounds that the dictionary does not have ("fietsherstelplaats":
bike, repair, place). The same for French helps it less than it costs: the model knows French.

`taxonomy/english.csv` comes from FreeDict (`python -m services.matching.freedict`).
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import snowballstemmer

from services.matching import taxonomy, words

ENGLISH = taxonomy.FOLDER / "english.csv"

_SHORTEST, _LONGEST = 3, 40
_LINKS = ("", "s", "en", "e", "n")
"""What stands between the parts of Dutch compounds: "bedrijf-s-leider", "boek-en-kast"."""
_BETWEEN = """
    aan als ben bij dan dat deze die dit door een elk elke enkele er ergens geen haar had heb hebben heeft hem hen
    het hij hun iets ik in is je jij jouw maar me meer men met mij mijn moet moeten naar nergens niet nog om onder
    ons op over per reeds sinds te tegen ten ter tijdens toch tot tussen uit uw van veel via voor waar wanneer want
    waren was wat we weer werd wie wij word worden wordt zal ze zelf zich zij zijn zo zonder zou
"""
_SAY_NOTHING = {words.folded(word) for word in _BETWEEN.split()}


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Dutch and English. `exact`: by the word as it is listed; `stems`: by its stem, the shortest first.

    `stem`: of a word in small letters.
    """

    exact: dict[str, str]
    stems: dict[str, str]
    stem: Callable[[str], str]

    def find(self, word: str) -> str | None:
        """What `word`, in small letters, is in English, whatever its ending; None where nobody says."""
        return self.exact.get(word) or self.stems.get(self.stem(word))

    def parts(self, word: str) -> list[str]:
        """What a compound's parts are in English, its beginning as long as can be; none where one is not known."""
        if (found := self.find(word)) is not None:
            return [found]
        told: dict[int, list[str]] = {}
        for start in reversed(range(len(word) - _SHORTEST + 1)) if len(word) <= _LONGEST else ():
            if (rest := self.find(word[start:])) is not None:
                told[start] = [rest]
                continue
            ends = (end for end in sorted(told, reverse=True) if end - start >= _SHORTEST)
            parts = ((beginning, end) for end in ends if (beginning := self._beginning(word[start:end])))
            if (one := next(parts, None)) is not None:
                told[start] = [one[0], *told[one[1]]]
        return told.get(0, [])

    def _beginning(self, part: str) -> str | None:
        shapes = (part.removesuffix(link) for link in _LINKS if part.endswith(link))
        found = (self.exact.get(one) or self.stems.get(one) for one in shapes if len(one) >= _SHORTEST)
        return next((one for one in found if one), None)


def in_english(text: str) -> str:
    """The Dutch words of `text` that say something, in English as far as they are known."""
    told = [word.lower() for word in words.meaningful(text, "nl")]
    told = [word for word in told if len(word) >= _SHORTEST and words.folded(word) not in _SAY_NOTHING]
    return " ".join(" ".join(_read().parts(word)) or word for word in told)


@cache
def _read() -> Dictionary:
    with ENGLISH.open(encoding="utf-8", newline="") as file:
        exact = {row["dutch"]: row["english"] for row in csv.DictReader(file)}
    stem: Callable[[str], str] = snowballstemmer.stemmer("dutch").stemWord
    stems: dict[str, str] = {}
    for word in sorted(exact, key=lambda one: (len(one), one)):
        stems.setdefault(stem(word), exact[word])
    return Dictionary(exact=exact, stems=stems, stem=stem)
