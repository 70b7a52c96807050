"""Codes of apps as RFC 6238 makes them, once each; recovery codes; what a key looks like to an app."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from services.identity.domain import second_factor
from services.identity.domain.second_factor import Key

KEY = Key(raw=b"12345678901234567890")
NOW = datetime(2026, 3, 1, 12, 0, 15, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert KEY.code_at(seconds // 30) == code


@pytest.mark.parametrize(("late", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_half_a_minute(late: int, *, taken: bool) -> None:
    assert (KEY.step_of(KEY.code_at(STEP + late), now=NOW, after=0) == STEP + late) is taken


def test_a_code_and_those_before_it_are_taken_once() -> None:
    assert KEY.step_of(KEY.code_at(STEP), now=NOW, after=STEP) is None
    assert KEY.step_of(KEY.code_at(STEP - 1), now=NOW, after=STEP) is None
    assert KEY.step_of(KEY.code_at(STEP + 1), now=NOW, after=STEP) == STEP + 1


def test_an_app_reads_the_key_from_its_address() -> None:
    address = urlsplit(KEY.uri(account="claire@opteos.example", issuer="Optéos"))
    asked = parse_qs(address.query)
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert Key.read(asked["secret"][0]) == KEY
    assert (asked["issuer"], asked["digits"], asked["period"]) == (["Optéos"], ["6"], ["30"])


def test_keys_are_new_and_long_and_do_not_show() -> None:
    one = Key.new()
    assert one != Key.new()
    assert len(one.raw) == 20
    assert one.text not in repr(one)


def test_recovery_codes_differ_and_are_read_however_they_are_typed() -> None:
    codes = second_factor.new_recovery_codes()
    assert len({second_factor.beginning(code) for code in codes}) == len(codes) == 10
    for code in codes:
        typed = second_factor.plain(f" {code.upper().replace('-', ' ')} ")
        assert second_factor.is_recovery_code(typed)
        assert not second_factor.is_of_app(typed)
    assert second_factor.is_of_app(second_factor.plain("123 456"))
    assert not second_factor.is_of_app("１２３４５６")
