"""Passwords as argon2id hashes, made in a thread and few at a time."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.chassis.problems import Unavailable
from services.identity.domain.passwords import normalised

T = TypeVar("T")

# OWASP Password Storage Cheat Sheet (2025): argon2id with 19 MiB, 2 passes, 1 lane, the least of its equal choices
# in memory. 40 ms on one core of the machine that this was written on.
_TIME_COST = 2
_MEMORY_KIB = 19 * 1024
_LANES = 1
_LONGEST_QUEUE = 100


class PasswordHashes:
    """Makes and checks hashes, at most `threads` at once so that sign-ins cannot take all memory and all cores.

    Raises Unavailable when more than 100 are waiting.
    """

    def __init__(self, threads: int = 1) -> None:
        self._hasher = PasswordHasher(time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._free = asyncio.Semaphore(threads)
        self._waiting = 0
        self._nobodys = self._hasher.hash("nobody has this password")

    async def of(self, password: str) -> str:
        """The hash to keep for `password`."""
        return await self._run(lambda: self._hasher.hash(normalised(password)))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether `password` belongs to the hash `kept`. None (no such account) takes as long and is never right."""
        return await self._run(lambda: self._matches(kept or self._nobodys, password)) and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether `kept` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _matches(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, normalised(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _LONGEST_QUEUE:
            raise Unavailable
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
