"""What texts are about; the taxonomy; searches as typed."""

from pathlib import Path

import numpy as np
import pytest

from contracts.identity import Locale
from services.matching import basis, meaning, model, taxonomy, words
from services.matching.meaning import Meaning, similarities, unpacked
from services.matching.relevance import FITTING_MEANING, FITTING_OF_KIND, is_about, relevance


@pytest.fixture(scope="module")
def loaded() -> Meaning:
    found = meaning.load()
    assert found is not None
    return found


def test_a_need_is_nearer_to_what_fits_it_in_any_language(loaded: Meaning) -> None:
    offers = loaded.of(["Cuisine professionnelle agréée", "Expert-comptable", "Bétonnière 160 litres"])
    packed = [vector.packed() for vector in offers]
    for text in ("préparer des plats à vendre", "een keuken om maaltijden te koken", "somewhere to cook meals to sell"):
        near = similarities(loaded.of([text])[0], packed)
        assert max(near, key=lambda value: value or 0) == near[0]
        assert (near[0] or 0) > FITTING_MEANING


def test_the_basis_is_made_of_the_taxonomy_as_it_is(loaded: Meaning) -> None:
    some = taxonomy.leaves()[::12]
    with np.load(meaning.BASIS) as kept:
        anchors, mean = kept["anchors"].astype(np.float32), kept["mean"].astype(np.float32)
    leaves = len(taxonomy.leaves())
    assert anchors.shape == (len(meaning.anchors()), model.DIMENSIONS)
    fresh = basis.categories(loaded.model, some, mean)
    assert np.abs(anchors[:leaves:12] - fresh).max() < 0.005, "run the command in basis.py"
    fresh = basis.concepts(loaded.model, taxonomy.concepts()[::24], mean)
    assert np.abs(anchors[leaves::24] - fresh).max() < 0.005, "run the command in basis.py"


def test_nouns_are_read_from_files_of_wordnet(tmp_path: Path) -> None:
    (tmp_path / "cntlist.rev").write_text(
        "digger%1:06:00:: 1 2\nidea%1:09:00:: 1 9\ndig%2:35:00:: 1 5\n", encoding="utf-8"
    )
    lines = [
        "  1 a line of the licence",
        '02893692 06 n 02 digger 0 power_shovel 0 001 @ 03996416 n 0000 | a machine for digging; "it dug"',
        "02893693 06 n 01 unused 0 001 @ 03996416 n 0000 | never found in a text",
        "05833840 09 n 01 idea 0 001 @ 05809192 n 0000 | the content of cognition",
    ]
    (tmp_path / "data.noun").write_text("\n".join(lines), encoding="utf-8")
    assert list(basis.nouns(tmp_path)) == ["digger, power shovel : a machine for digging"]


@pytest.mark.parametrize("text", ["", "\0", "😀😀😀", "a" * 10_000, "'; DROP TABLE things; --", "\ud800"])
def test_odd_texts_have_a_vector(loaded: Meaning, text: str) -> None:
    (vector,) = loaded.of([text])
    assert np.isfinite(vector.values).all()
    assert len(vector.signs) == model.DIMENSIONS


def test_other_files_than_those_that_were_checked_are_not_loaded(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "_WEIGHTS", "0" * 64)
    assert model.load() is None
    monkeypatch.setattr(model, "_PACKAGE", "a_package_that_is_not_there")
    assert model.load() is None


def test_packing_keeps_what_is_near() -> None:
    rows = meaning.unit(np.random.default_rng(3).normal(size=(2, model.DIMENSIONS)))
    one, other = (meaning.Vector(row, ("land.mowing",)) for row in rows)
    near = similarities(one, [other.packed(), None, one.packed()])
    assert near[1] is None
    assert near[0] == pytest.approx(float(one.values @ other.values), abs=0.01)
    assert near[2] == pytest.approx(1, abs=0.001)
    again = unpacked(one.packed(), ["land.mowing"])
    assert float(again.values @ one.values) > 0.999
    assert similarities(one, []) == []
    assert similarities(one, [None, b""]) == [None, None]


def test_what_lies_in_a_crowd_is_less_near_to_whatever_is_asked() -> None:
    row = meaning.unit(np.ones((1, model.DIMENSIONS)))[0]
    alone, crowded = meaning.Vector(row, ()), meaning.Vector(row, (), 0.2)
    packed = [alone.packed(), crowded.packed()]
    assert similarities(alone, packed) == pytest.approx([1.0, 0.9], abs=0.003)
    assert similarities(crowded, packed) == pytest.approx([1.0, 0.9], abs=0.003)
    assert unpacked(crowded.packed(), ()).crowd == pytest.approx(0.2, abs=0.003)
    assert unpacked(meaning.Vector(row, (), -3.0).packed(), ()).crowd == pytest.approx(-0.5, abs=0.003)


def test_a_text_that_the_taxonomy_knows_well_is_in_a_crowd(loaded: Meaning) -> None:
    known, unknown = loaded.of(["Menuiserie, atelier bois : raboter, scier", "Quasar, muon, boson de Higgs"])
    assert known.crowd > unknown.crowd
    assert loaded.blended(known, unknown, 0.0).crowd == pytest.approx(known.crowd, abs=0.001)
    assert loaded.blended(known, unknown, 1.0).crowd == pytest.approx(unknown.crowd, abs=0.001)


def test_what_shares_no_word_is_ordered_by_meaning_however_little() -> None:
    assert relevance(0.0, 0.24) > relevance(0.0, 0.2) > relevance(0.0, FITTING_OF_KIND)


def test_every_category_has_a_name_in_each_language_and_a_group() -> None:
    tree = taxonomy.tree()
    for category in tree.values():
        assert all(category.names.values()), category.code
        assert category.group in tree
    assert all(len(leaf.uses) == 2 for leaf in taxonomy.leaves())
    assert {concept.code for concept in taxonomy.concepts()} == {leaf.code for leaf in taxonomy.leaves()}
    assert all(all(concept.texts.values()) for concept in taxonomy.concepts())
    assert taxonomy.name("no.such", "fr") == "no.such"


def test_a_search_is_read_like_a_web_search() -> None:
    query = words.parsed('perceuse "salle de réunion" -enfant « petit four »  e-mail - seul')
    assert query.phrases == ("salle de réunion", "petit four")
    assert query.without == ("enfant",)
    assert {"perceuse", "réunion", "e-mail", "seul"} <= set(query.wanted.split())
    assert "enfant" not in query.wanted
    for odd in ('"', '""', "-", "--", "« »", '"jamais fermé', ""):
        assert words.parsed(odd).phrases == ()
        assert words.parsed(odd).without == ()


@pytest.mark.parametrize(
    ("text", "language", "left"),
    [
        ("les données de leurs adhérents, où et si", "fr", ["données", "adhérents"]),
        ("wij zoeken onze stoelen", "nl", ["stoelen"]),
        ("some chairs for us", "en", ["chairs"]),
    ],
)
def test_small_words_that_the_stemmers_keep_are_no_reason(text: str, language: Locale, left: list[str]) -> None:
    assert [word for word in words.meaningful(text, language) if word not in {"de", "et", "for"}] == left


def test_words_alone_count_in_full_only_where_the_meaning_is_not_known() -> None:
    assert relevance(0.8, None) == 0.8
    assert relevance(0.8, 0.0) < 0.8
    assert relevance(0.0, 0.9) > relevance(0.0, 0.5) > relevance(0.0, 0.2)
    assert relevance(0.5, 0.5) > relevance(0.0, 0.5)
    assert is_about(0.2, None)
    assert is_about(0.0, FITTING_MEANING)
    assert not is_about(0.1, 0.1)
    assert is_about(0.0, FITTING_OF_KIND, of_kind=True)
    assert not is_about(0.0, FITTING_OF_KIND)


def test_capitals_mean_nothing(loaded: Meaning) -> None:
    titled, small = loaded.of(["Pianos À Prêter", "pianos à prêter"])
    assert np.array_equal(titled.values, small.values)
    assert titled.topics == small.topics
