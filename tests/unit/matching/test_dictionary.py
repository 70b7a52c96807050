"""What Dutch requests say word by word in English."""

import csv
import random

import pytest

from services.matching import meaning
from services.matching.dictionary import ENGLISH, in_english
from services.matching.freedict import senses


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Een brug bouwen", "bridge build buildfromwood"),
        ("bruggen", "bridge"),
        ("Wij zoeken iemand met een brug", "bridge"),
        ("boekenkasten", "bookcase"),
        ("fietsherstelplaats", "bike repair fix place court"),
        ("Xyzzyplof", "xyzzyplof"),
        ("", ""),
        ("de het een", ""),
    ],
)
def test_words_that_say_something_are_told_in_english(text: str, english: str) -> None:
    assert in_english(text) == english


def test_a_text_without_end_is_read_as_far_as_searches_are() -> None:
    assert in_english("brug " * 10_000) == "bridge"
    assert in_english("a" * 10_000) == "a" * 2000


@pytest.mark.timeout(10)
def test_compounds_without_end_take_no_time() -> None:
    unknown = ["".join(random.Random(number).choices(["brug", "en", "boek", "x"], k=11)) for number in range(2000)]
    assert len(in_english(" ".join(unknown)).split()) > 40
    assert in_english("brug" * 500) == "brug" * 500


def test_every_line_of_the_file_tells_something() -> None:
    with ENGLISH.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert all(len(row) == 2 and row[0].isalpha() and row[1].strip() == row[1] != "" for row in rows)
    assert len({row[0] for row in rows}) == len(rows) > 15_000


def test_only_what_is_asked_for_in_dutch_is_read_word_by_word() -> None:
    loaded = meaning.load()
    assert loaded is not None
    (plain,) = loaded.of(["Een brug bouwen"])
    one, other = loaded.of(["Een brug bouwen", "Een brug bouwen"], ["nl"])
    assert float(other.values @ plain.values) == pytest.approx(1.0, abs=1e-3)
    assert 0.5 < float(one.values @ plain.values) < 0.995
    asked, said = loaded.of(["Construire un pont", "Construire un pont"], ["fr"])
    assert float(asked.values @ said.values) == pytest.approx(1.0, abs=1e-3)


def test_articles_of_a_dictionary_are_read() -> None:
    article = "gebak /x/\n1. cake <n>, pastry\n2. -ness\n3. bake‐ware\nSynonym: taart\n"
    assert list(senses(article)) == ["cake", "bake-ware"]
