"""Bytes of a CSV file as text: which encoding, which separator."""

import codecs
import csv
import io
from dataclasses import dataclass

from charset_normalizer import from_bytes

from services.catalog.csv_files.columns import column_named
from services.catalog.csv_files.problems import FileUnreadable

_BOMS = ((codecs.BOM_UTF8, "utf_8_sig"), (codecs.BOM_UTF16_LE, "utf_16"), (codecs.BOM_UTF16_BE, "utf_16"))
_NAMES = {"utf_8": "UTF-8", "utf_8_sig": "UTF-8 (BOM)", "utf_16": "UTF-16", "cp1252": "Windows-1252"} | dict.fromkeys(
    ("utf_16_le", "utf_16_be"), "UTF-16"
)
_SAMPLE = 64 * 1024
_MANY_ZEROS = 0.2


@dataclass(frozen=True)
class Decoded:
    """The text of a file, and how it was read."""

    text: str
    encoding: str


def decode(data: bytes) -> Decoded:
    """The file as text. Raises FileUnreadable for an empty file, a picture, a spreadsheet's own format."""
    if not data.strip() or data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")):
        raise FileUnreadable
    encoding = _encoding(data)
    try:
        return Decoded(data.decode(encoding).removeprefix("\ufeff"), _NAMES[encoding])
    except UnicodeDecodeError as error:
        raise FileUnreadable from error


def separator(text: str) -> str:
    """The one of ; , and tab with which the first line names most of our columns."""
    lines = io.StringIO(text[:_SAMPLE], newline="")
    first = next((line for line in lines if line.strip()), "")

    def known(candidate: str) -> int:
        cells = next(csv.reader([first], delimiter=candidate), [])
        return len({column for cell in cells if (column := column_named(cell))})

    return max(";,\t", key=known)


def _encoding(data: bytes) -> str:
    for bom, name in _BOMS:
        if data.startswith(bom):
            return name
    sample = data[:_SAMPLE]
    zeros = sample.count(0)
    if zeros > _MANY_ZEROS * len(sample):  # every second byte of Latin text in UTF-16 is zero
        return "utf_16_be" if sample[0::2].count(0) > sample[1::2].count(0) else "utf_16_le"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        best = from_bytes(sample, cp_isolation=["cp1252", "utf_16"]).best()
        if best is None:
            raise FileUnreadable from None
        return best.encoding if best.encoding in _NAMES else "cp1252"
    return "utf_8"
