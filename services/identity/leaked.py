"""Passwords that others have lost: a file that the operator gives, searched on the disk and never fetched.

`python -m services leaked-passwords` makes it of the Pwned Passwords list (SHA-1, ordered by hash) or of a list of
words. Of each password it holds the first 8 bytes of its SHA-1, in order: a thousand million of them are 8 GB, and one
password in ten thousand million is taken for one of them that is none. SHA-1 is how that list is indexed; nothing is
kept safe by it. Source: OWASP ASVS 5.0, V6.2.12; NIST SP 800-63B, 5.1.1.2.
"""

import argparse
import hashlib
import mmap
import re
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, overload

from services.chassis.settings import MissingSetting
from services.identity.domain.passwords import normalised

MAGIC = b"MAILLAGE"
_SIZE = 8
_HASH = re.compile(rb"([0-9A-Fa-f]{40})(?::([0-9]{1,15}))?")


class BadList(Exception):
    """A list that cannot be read. Says why and in which line, in English, for an operator."""


def digest(password: str) -> bytes:
    """What the file holds of `password`."""
    return hashlib.sha1(password.encode(errors="surrogatepass"), usedforsecurity=False).digest()[:_SIZE]


class _Digests(Sequence[bytes]):
    """The digests of a file, in order, as far as they are looked at."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data) // _SIZE - 1

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        start = (index + 1) * _SIZE
        return self._data[start : start + _SIZE]


class LeakedPasswords:
    """The file `path`; None: there is none, and no password is in it. Raises MissingSetting when it is no such file."""

    def __init__(self, path: Path | None) -> None:
        self._digests: Sequence[bytes] = [] if path is None else _Digests(_opened(path))

    def __len__(self) -> int:
        return len(self._digests)

    def has(self, password: str) -> bool:
        """Whether it is in the file, as it was typed or as it is hashed. Reads from the disk."""
        return any(self._holds(digest(written)) for written in {password, normalised(password)})

    def _holds(self, wanted: bytes) -> bool:
        place = bisect_left(self._digests, wanted)
        return place < len(self._digests) and self._digests[place] == wanted


def _opened(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise MissingSetting(f"MAILLAGE_LEAKED_PASSWORDS: {path} cannot be read ({error})") from error
    if data[:_SIZE] != MAGIC or len(data) % _SIZE:
        raise MissingSetting(f"MAILLAGE_LEAKED_PASSWORDS: {path} is not made by `python -m services leaked-passwords`")
    return data


def main(arguments: list[str]) -> None:
    """Make the file for MAILLAGE_LEAKED_PASSWORDS of a list: hashes with their numbers, or words."""
    parser = argparse.ArgumentParser(prog="python -m services leaked-passwords", description=main.__doc__)
    parser.add_argument("list", type=Path, help="lines HASH:NUMBER ordered by SHA-1, or words; - for the input")
    parser.add_argument("file", type=Path, help="the file to make; it is replaced once it is whole")
    parser.add_argument("--words", action="store_true", help="the list has a password in each line, in any order")
    parser.add_argument("--seen", type=int, default=1, help="leave out what was seen less often than that")
    options = parser.parse_args(arguments)
    new = options.file.with_name(options.file.name + ".new")
    try:
        with sys.stdin.buffer if str(options.list) == "-" else options.list.open("rb") as lines, new.open("wb") as out:
            found = of_words(lines) if options.words else of_hashes(lines, seen=options.seen)
            number = write(found, out)
        new.replace(options.file)
    except (OSError, BadList) as error:
        new.unlink(missing_ok=True)
        sys.exit(f"leaked-passwords: {error}")
    print(f"{number} passwords in {options.file}")  # noqa: T201 - a command's answer


def of_hashes(lines: Iterable[bytes], *, seen: int = 1) -> Iterator[bytes]:
    """The digests in lines HASH:NUMBER, without what was seen less often. Raises BadList; order is kept."""
    for number, line in enumerate(lines, 1):
        match = _HASH.fullmatch(line.strip())
        if match is None:
            raise BadList(f"line {number} is not HASH:NUMBER (a list of words needs --words)")
        if match[2] is None or int(match[2]) >= seen:
            yield bytes.fromhex(match[1][: 2 * _SIZE].decode())


def of_words(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The digests of passwords, one in each line, in order. Holds them all in memory."""
    words = (line.rstrip(b"\r\n") for line in lines)
    yield from sorted({hashlib.sha1(word, usedforsecurity=False).digest()[:_SIZE] for word in words if word})


def write(digests: Iterable[bytes], out: BinaryIO) -> int:
    """The file; returns how many it holds. Raises BadList when they are not in order."""
    out.write(MAGIC)
    before, number = b"", 0
    for one in digests:
        if one < before:
            raise BadList("the list is not ordered by hash: sort it first (LC_ALL=C sort)")
        if one != before:
            out.write(one)
            number += 1
        before = one
    return number
