from services.booking.remembered import Remembered


def test_what_was_used_last_is_kept() -> None:
    kept = Remembered[bytes](most=2)
    assert kept.keep("a", b"1") == b"1"
    _ = kept.keep("b", b"2")
    assert kept.get("a") == b"1"
    _ = kept.keep("c", b"3")
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (b"1", None, b"3")
