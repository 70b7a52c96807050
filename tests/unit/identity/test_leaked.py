"""The file of leaked passwords: what is in it is found, what is not is not, and a damaged one is no file."""

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.settings import MissingSetting
from services.identity.leaked import MAGIC, BadList, LeakedPasswords, main, of_hashes, of_words, write

LEAKED = ["trois girafes sous la pluie", "correct cheval pile agrafe", "motdepasse", "ça coûte 3 € à Noël"]


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.fixture
def pwned(tmp_path: Path) -> Path:
    """A list as Pwned Passwords are given, ordered by hash; each seen as often as its place in LEAKED says."""
    lines = sorted(f"{sha1(password)}:{number}" for number, password in enumerate(LEAKED, 1))
    path = tmp_path / "pwned.txt"
    path.write_text("\r\n".join(lines) + "\r\n", encoding="ascii")
    return path


def made(source: Path, *options: str) -> LeakedPasswords:
    file = source.with_name("leaked")
    main([str(source), str(file), *options])
    return LeakedPasswords(file)


def test_what_is_in_the_list_is_found_and_nothing_else(pwned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = made(pwned)
    assert len(found) == 4
    assert [password for password in LEAKED if found.has(password)] == LEAKED
    assert not found.has("Trois girafes sous la pluie")
    assert not found.has("")
    assert "4 passwords in" in capsys.readouterr().out
    assert not pwned.with_name("leaked.new").exists()


def test_what_was_seen_seldom_can_be_left_out(pwned: Path) -> None:
    found = made(pwned, "--seen", "3")
    assert [password for password in LEAKED if found.has(password)] == LEAKED[2:]


def test_what_a_list_has_twice_is_kept_once() -> None:
    line = f"{sha1(LEAKED[0])}:1".encode()
    out = io.BytesIO()
    assert write(of_hashes([line, line]), out) == 1
    assert len(out.getvalue()) == 8 + 8


def test_a_list_of_words_will_do_in_any_order(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\n".join([*LEAKED, "", LEAKED[0]]), encoding="utf-8")
    found = made(words, "--words")
    assert len(found) == 4
    assert all(map(found.has, LEAKED))


def test_a_password_is_found_however_the_keyboard_composed_it(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("un été à Liège", encoding="utf-8")
    assert made(words, "--words").has("un e\u0301te\u0301 a\u0300 Lie\u0300ge")


@given(st.sets(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n"), min_size=1), max_size=40))
def test_any_list_finds_each_of_its_words(words: set[str]) -> None:
    out = io.BytesIO()
    lines = [f"{word}\n".encode() for word in words]
    assert write(of_words(lines), out) == len(words)
    assert out.getvalue()[:8] == MAGIC
    assert len(out.getvalue()) == 8 + 8 * len(words)


def test_without_a_file_nothing_is_leaked() -> None:
    assert not LeakedPasswords(None).has(LEAKED[0])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([b"F" * 40 + b":1", b"0" * 40 + b":1"], "not ordered"),
        ([b"motdepasse2026"], "line 1 is not HASH:NUMBER"),
        ([b"0" * 40 + b":1", b"0" * 39 + b":1"], "line 2 is not HASH:NUMBER"),
    ],
)
def test_a_list_that_cannot_be_read_is_named_with_its_line(lines: list[bytes], said: str) -> None:
    with pytest.raises(BadList, match=said):
        write(of_hashes(lines), io.BytesIO())


def test_a_list_that_cannot_be_read_leaves_the_file_that_was_there(
    pwned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = made(pwned)
    bad = tmp_path / "bad.txt"
    bad.write_text("what is this", encoding="ascii")
    with pytest.raises(SystemExit, match="line 1"):
        main([str(bad), str(tmp_path / "leaked")])
    assert LeakedPasswords(tmp_path / "leaked").has(LEAKED[0])
    assert found.has(LEAKED[0])
    assert not (tmp_path / "leaked.new").exists()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", [b"", b"SOMETHIN", MAGIC + b"1234567", sha1("x").encode() + b":3\r\n"])
def test_a_file_that_is_none_ends_the_start_with_a_line_that_names_the_setting(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "leaked").write_bytes(content)
    with pytest.raises(MissingSetting, match="MAILLAGE_LEAKED_PASSWORDS"):
        LeakedPasswords(tmp_path / "leaked")


def test_a_file_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(MissingSetting, match="MAILLAGE_LEAKED_PASSWORDS"):
        LeakedPasswords(tmp_path / "nothing")
