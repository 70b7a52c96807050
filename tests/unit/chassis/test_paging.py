"""Cursors come back from browsers and scripts as whatever somebody made of them."""

import pytest

from services.chassis import paging
from services.chassis.ids import new_id
from services.chassis.problems import InvalidFields


def test_a_cursor_gives_back_its_id() -> None:
    row_id = new_id()
    assert paging.decode_id(paging.encode(str(row_id))) == row_id


@pytest.mark.parametrize(
    "cursor", ["", "é", "####", paging.encode(), paging.encode(1), paging.encode("x"), paging.encode([])]
)
def test_any_other_cursor_is_an_unknown_page(cursor: str) -> None:
    with pytest.raises(InvalidFields):
        paging.decode_id(cursor)
