"""`python -m services.matching.freedict FOLDER`: write `taxonomy/english.csv` anew.

FOLDER holds `freedict-nld-eng.index` and `.dict.dz`, as dictd keeps them (Debian's package dict-freedict-nld-eng
installs them in /usr/share/dictd). Of each word, its first English word in each of its first senses is kept. Vectors
made before no longer count then; each is made again when the service runs.
"""

import argparse
import csv
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from services.matching.dictionary import ENGLISH

_NAME = "freedict-nld-eng"
_SENSES = 2
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NUMBER = re.compile(r"^\d+\.\s*")
_ASIDE = re.compile(r"<[^>]*>|\([^)]*\)|\[[^\]]*\]")
_NO_SENSE = ("Synonym", "see", '"', "Note")


def _number(text: str) -> int:
    found = 0
    for sign in text:
        found = found * 64 + _DIGITS.index(sign)
    return found


def articles(folder: Path) -> Iterator[tuple[str, str]]:
    """Headwords and articles in the order of the index. Raises OSError where a file cannot be read."""
    content = gzip.decompress((folder / f"{_NAME}.dict.dz").read_bytes())
    for line in (folder / f"{_NAME}.index").read_text(encoding="utf-8").splitlines():
        headword, start, length = line.split("\t")[:3]
        if not headword.startswith("00"):
            article = content[_number(start) : _number(start) + _number(length)]
            yield headword.lower().replace("ĳ", "ij"), article.decode("utf-8")


def senses(article: str) -> Iterator[str]:
    """The first English word of each sense, without endings ("-ness"); its first line names the headword itself."""
    for line in article.splitlines()[1:]:
        said = _NUMBER.sub("", line.strip())
        if said and not said.startswith(_NO_SENSE):
            first = re.split(r"[,;]", _ASIDE.sub("", said))[0].strip().replace("\N{HYPHEN}", "-")
            if first and not first.startswith("-"):
                yield first.lower().rstrip("-")


def entries(folder: Path) -> dict[str, str]:
    """What single Dutch words are in English."""
    found: dict[str, list[str]] = {}
    for headword, article in articles(folder):
        if headword.isalpha():
            found.setdefault(headword, []).extend(senses(article))
    return {word: " ".join(list(dict.fromkeys(said))[:_SENSES]) for word, said in sorted(found.items()) if said}


def main() -> None:
    """Read the dictionary and write the file."""
    parser = argparse.ArgumentParser(prog="python -m services.matching.freedict", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with ENGLISH.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("dutch", "english"))
        writer.writerows(entries(folder).items())


if __name__ == "__main__":
    main()
