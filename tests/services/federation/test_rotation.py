"""Keys that change: announced under the old one, taken up later, and revoked from a number on when stolen."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from joserfc.jwk import OKPKey

from services.chassis.clock import Clock
from services.federation.keys import ALGORITHM, Keys
from services.federation.mending_tables import own_keys
from services.federation.tables import key_sets, streams
from tests.services.federation.pair import Pair, eventually, listing, published
from tests.services.federation.test_hostile_peer import Namur, gone, refused
from tests.services.federation.test_mending import change, holds

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_key_is_announced_then_signs_and_a_stolen_one_stops_counting_from_a_number_on(pair: Pair) -> None:
    _, namur_id = await pair.link()
    border = pair.namur.border
    old, new = border.keys.signing, OKPKey.generate_key(ALGORITHM)
    await change(pair.namur)
    await eventually(lambda: _announced(pair, old))
    border.keys = Keys(border.keys.root, old, (new,))
    await change(pair.namur)
    await eventually(lambda: _known_to_lille(pair, {old.thumbprint(), new.thumbprint()}))
    assert border.keys.signing_kid == old.thumbprint()
    past = Clock().now() - timedelta(seconds=1)
    turn = sa.update(own_keys).where(own_keys.c.kid == new.thumbprint()).values(signs_from=past)
    await change(pair.namur, turn)

    async def new_one_signs() -> bool:
        return border.keys.signing_kid == new.thumbprint()

    await eventually(new_one_signs)
    first = listing()
    await pair.namur.say("catalog", published(first))
    await eventually(lambda: holds(pair.lille, [first]))
    async with pair.namur.client("administrator") as administrator:
        last = await administrator.post(f"/keys/{new.thumbprint()}/revoke")
        assert last.status_code == 202
        assert border.keys.signing_kid == old.thumbprint()
        assert (await administrator.post(f"/keys/{old.thumbprint()}/revoke")).status_code == 409
    await eventually(lambda: _revoked_at_lille(pair, new))
    told = {row["link_id"]: row["seq"] for row in await pair.namur.rows(streams)}[namur_id]
    thief = Keys(border.keys.root, new)
    await Namur(pair, namur_id).put(Namur(pair, namur_id).message(gone(), told + 1, by=thief))
    assert (await refused(pair.lille, 1)) == ["key_revoked"]
    second = listing()
    await pair.namur.say("catalog", published(second))
    await eventually(lambda: holds(pair.lille, [first, second]))
    shown = await pair.namur.call("GET", "/keys")
    assert {one["kid"]: one["signs"] for one in shown} == {old.thumbprint(): True, new.thumbprint(): False}


async def _announced(pair: Pair, key: OKPKey) -> bool:
    return key.thumbprint() in {row["kid"] for row in await pair.namur.rows(own_keys)}


async def _known_to_lille(pair: Pair, kids: set[str]) -> bool:
    text = str([row["keys"] for row in await pair.lille.rows(key_sets)])
    return all(str(key.as_dict(private=False)["x"]) in text for key in _all(pair) if key.thumbprint() in kids)


def _all(pair: Pair) -> list[OKPKey]:
    keys = pair.namur.border.keys
    return [keys.signing, *keys.others]


async def _revoked_at_lille(pair: Pair, key: OKPKey) -> bool:
    text = str([row["keys"] for row in await pair.lille.rows(key_sets)])
    at = text.find(str(key.as_dict(private=False)["x"]))
    return at > 0 and '"revoked_from": null' not in text[at : at + 120]
