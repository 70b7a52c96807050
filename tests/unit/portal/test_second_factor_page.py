"""The picture of a new key, for the app on a phone."""

import re

from segno import consts, encoder

from tests.unit.portal.conftest import Browse, fill
from tests.unit.portal.pretend import Pretend

URI = "otpauth://totp/Opt%C3%A9os:claire%40opteos.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Opt%C3%A9os"
MADE = {"key": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "uri": URI}
FINDER = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]


def drawn(text: str) -> list[str]:
    """The modules of the picture in a page, as rows of 0 and 1."""
    [svg] = re.findall(r'<svg class="qr"[^>]*>.*?</svg>', text)
    assert "style" not in svg
    assert 'fill="' not in svg
    size = int(re.findall(r'viewBox="0 0 (\d+) \1"', svg)[0])
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg)}
    return ["".join(str(int((x, y) in dark)) for x in range(size)) for y in range(size)]


async def test_a_new_key_is_on_the_page_as_a_picture_with_a_quiet_zone(browse: Browse) -> None:
    client = browse(Pretend(rules={"POST identity /me/second-factor/start": lambda _: MADE}))
    form = fill(await client.get("/me/second-factor"), "/me/second-factor/start", password="a long enough word")
    shown = (await client.post("/me/second-factor/start", data=form)).text
    rows = drawn(shown)
    zone = 4
    assert all(set(row) == {"0"} for row in (*rows[:zone], *rows[-zone:]))
    code = [row[zone:-zone] for row in rows[zone:-zone]]
    assert {row[:zone] + row[-zone:] for row in rows} == {"0" * 2 * zone}
    for corner in (
        [row[:7] for row in code[:7]],
        [row[-7:] for row in code[:7]],
        [row[:7] for row in code[-7:]],
    ):
        assert corner == FINDER
    made = encoder.encode(URI, error="m", micro=False)
    assert made.error == consts.ERROR_LEVEL_M
    assert code == ["".join(str(int(one)) for one in row) for row in made.matrix]


async def test_what_is_typed_into_the_hidden_field_is_no_picture_of_something_else(browse: Browse) -> None:
    client = browse(Pretend(rules={"POST identity /me/second-factor/start": lambda _: MADE}))
    form = fill(await client.get("/me/second-factor"), "/me/second-factor/start", password="a long enough word")
    shown = await client.post("/me/second-factor/start", data=form)
    confirm = fill(shown, "/me/second-factor/confirm", code="000000") | {"uri": "https://elsewhere.example/x"}
    answer = await client.post("/me/second-factor/confirm", data=confirm)
    assert "elsewhere.example" not in answer.text
    assert 'class="qr"' not in answer.text
