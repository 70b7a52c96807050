from services.booking.remembered import Remembered


def test_what_was_used_last_is_kept() -> None:
    kept = Remembered(most=10)
    assert kept.keep("a", b"1111") == b"1111"
    _ = kept.keep("b", b"2222")
    assert kept.get("a") == b"1111"
    _ = kept.keep("c", b"3333")
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (b"1111", None, b"3333")


def test_what_is_too_large_is_handed_back_and_not_kept() -> None:
    kept = Remembered(most=3)
    assert kept.keep("a", b"1111") == b"1111"
    assert kept.get("a") is None
    _ = kept.keep("b", b"22")
    assert kept.keep("b", b"33") == kept.get("b") == b"33"
