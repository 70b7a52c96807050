"""What is asked at each size of the index: what people ask often, and each filter that few use."""

import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.chassis.database import Database
from services.matching import asking, taxonomy, words
from services.matching.domain import Point
from services.matching.queries import suggestions
from services.matching.queries.judging import Shown
from services.matching.queries.matches import matches_of, need_of
from services.matching.queries.search import Search, search
from tests.bench.matching_data import KINDS, Words
from tests.bench.matching_http import text
from tests.bench.matching_variety import MEMBER, PEERS, TAGS

TRIALS = 60
_SHOWN = Shown(most=20, near_misses=5)

Question = tuple[str, Callable[[int], Awaitable[int]]]
"""Its name, and how it is asked for the so-manieth time; gives how many results there were."""


class Asked:
    """The same questions for each size of the index. `seed`: another one gives others of the same kinds."""

    def __init__(self, db: Database, said: Words, needs: Sequence[UUID], version: str, seed: int = 7) -> None:
        chance = random.Random(seed)
        self.db, self.needs, self.version = db, needs, version
        self.rare = [text(said, chance) for _ in range(TRIALS)]
        self.common = [chance.choice(said.others) for _ in range(TRIALS)]
        self.towns = [
            Point(latitude=one[0], longitude=one[1]) for one in (chance.choice(said.towns) for _ in self.rare)
        ]
        self.kinds = [chance.choice(KINDS) for _ in self.rare]
        self.tags = [said.others[int(TAGS * chance.random() ** 2)] for _ in self.rare]
        self.topics = [chance.choice(taxonomy.leaves()) for _ in self.rare]

    def here(self, number: int, km: float = 50, **more: Any) -> dict[str, Any]:
        """Filters: a kind, around a town."""
        return {"kind": self.kinds[number], **self.around(number, km), **more}

    def around(self, number: int, km: float = 50) -> dict[str, Any]:
        """A filter: around a town."""
        return {"near": self.towns[number], "radius_km": km}

    async def find(self, typed: str, *, by: UUID | None = MEMBER, **filters: Any) -> int:
        """A first page of offers."""
        query = words.parsed(typed)
        vector = await asking.vector_of(query.wanted, "fr")
        filters = {"side": "offer"} | filters
        wanted = Search(query=query, language="fr", vector=vector, version=self.version, **filters)
        async with self.db.asking() as session:
            page = await search(session, wanted, member_id=by, now=datetime.now(UTC), offset=0, limit=20)
        return len(page.items)

    async def match(self, number: int) -> int:
        """The first page of offers for a need."""
        now = datetime.now(UTC)
        async with self.db.asking() as session:
            need = await need_of(session, self.needs[number], now=now)
            if need is None:
                return 0
            found = await matches_of(session, need, now=now, farthest_km=150, version=self.version, shown=_SHOWN)
            return len(found)

    async def begin(self, number: int) -> int:
        """Titles, after a few letters."""
        async with self.db.autocommit() as session:
            typed = self.rare[number][: 3 + number % 9]
            found = await suggestions.titles(
                session, typed, language="fr", side=None, member_id=MEMBER, now=datetime.now(UTC)
            )
        return len(found)

    async def nothing(self, _: int) -> int:
        """What asking costs by itself."""
        async with self.db.autocommit() as session:
            return int((await session.execute(sa.text("SELECT 1"))).scalar_one())

    def all(self) -> Sequence[Question]:
        """Each with its name."""
        find, here = self.find, self.here
        return (
            ("SELECT 1, to compare with", self.nothing),
            ("search: words, kind, 50 km", lambda number: find(self.rare[number], **here(number))),
            ("search: a common word, kind, 50 km", lambda number: find(self.common[number], **here(number))),
            ("search: words, kind, everywhere", lambda number: find(self.rare[number], kind=self.kinds[number])),
            ("search: words alone, everywhere", lambda number: find(self.rare[number])),
            ("search: no words, nearest, kind, 50 km", lambda number: find("", **here(number))),
            ("search: no words, newest", lambda _: find("")),
            ("matches of a need, with reasons", self.match),
            ("suggestions as somebody types", self.begin),
            *self._of_words(),
            *self._with_words(),
            *self._without_words(),
        )

    def _of_words(self) -> Sequence[Question]:
        find, here, rare, common = self.find, self.here, self.rare, self.common
        return (
            ("a common word alone", lambda number: find(common[number])),
            ("two common words, kind", lambda n: find(f"{common[n]} {common[n - 1]}", kind=self.kinds[n])),
            ("a misspelt word, kind, 50 km", lambda n: find(f"{rare[n][:4]}x{rare[n][4:]}", **here(n))),
            ("eight questions in one, kind", lambda n: find(" ".join((rare * 2)[n : n + 8]), kind=self.kinds[n])),
            ("words in quotes", lambda n: find(f'"{rare[n].rsplit(" ", 1)[0]}"')),
            ("a common word in quotes, kind", lambda n: find(f'"{common[n]}"', kind=self.kinds[n])),
            ("words, without a common one", lambda n: find(f"{rare[n]} -{common[n]}")),
            ("quotes, without, kind, 50 km", lambda n: find(f'"{common[n]}" -{common[n - 1]}', **here(n))),
        )

    def _with_words(self) -> Sequence[Question]:
        find, here, around, rare = self.find, self.here, self.around, self.rare
        soon = (datetime.now(UTC) + timedelta(days=3), datetime.now(UTC) + timedelta(days=6))
        return (
            ("words, 50 km", lambda n: find(rare[n], **around(n))),
            ("words, 700 km", lambda n: find(rare[n], **around(n, 700))),
            ("words, kind, 700 km", lambda n: find(rare[n], **here(n, 700))),
            ("words, tag", lambda n: find(rare[n], tag=self.tags[n])),
            ("words, category by name", lambda n: find(rare[n], category=taxonomy.name(self.topics[n].code, "fr"))),
            ("words, topic", lambda n: find(rare[n], topic=self.topics[n].code)),
            ("words, group of topics", lambda n: find(rare[n], topic=self.topics[n].group)),
            ("words, a peer's", lambda n: find(rare[n], origin=PEERS[n % len(PEERS)])),
            ("words, in English", lambda n: find(rare[n], spoken="en")),
            ("words, free in three days", lambda n: find(rare[n], window=soon)),
            ("words, free, kind, 50 km", lambda n: find(rare[n], **here(n, window=soon))),
            ("words, without an account", lambda n: find(rare[n], by=None)),
            ("words, offers and needs", lambda n: find(rare[n], side=None)),
            ("everything at once", lambda n: find(rare[n], tag=self.tags[n], spoken="fr", **here(n, window=soon))),
        )

    def _without_words(self) -> Sequence[Question]:
        find, here, around = self.find, self.here, self.around
        return (
            ("nearest, any kind, no circle", lambda n: find("", near=self.towns[n])),
            ("nearest, a peer's, 50 km", lambda n: find("", origin=PEERS[n % len(PEERS)], **around(n))),
            ("nearest, tag, kind, 50 km", lambda n: find("", **here(n, tag=self.tags[n]))),
            ("nearest, topic, 50 km", lambda n: find("", topic=self.topics[n].code, **around(n))),
            ("newest, kind", lambda n: find("", kind=self.kinds[n])),
            ("newest, 50 km", lambda n: find("", sort="newest", **around(n))),
            ("newest, 700 km", lambda n: find("", sort="newest", **around(n, 700))),
            ("newest, tag", lambda n: find("", tag=self.tags[n])),
            ("newest, topic", lambda n: find("", topic=self.topics[n].code)),
            ("newest, category by name", lambda n: find("", category=taxonomy.name(self.topics[n].code, "fr"))),
            ("newest, a peer's", lambda n: find("", origin=PEERS[n % len(PEERS)])),
            ("newest, of a peer without any", lambda _: find("", origin="peer-0")),
            ("newest, in English", lambda _: find("", spoken="en")),
        )
