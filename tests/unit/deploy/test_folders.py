"""What the demo's servers keep: only as long as the checkout that knows the passwords to it."""

from pathlib import Path

import pytest

from deploy.demo import world
from deploy.demo.world import Remembered
from deploy.local import folders


def test_data_that_lasts_is_found_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "place", lambda: tmp_path)
    (tmp_path / "remembered.json").touch()
    assert not folders.has_lasting()
    (folders.lasting("postgres") / "data").mkdir(parents=True)
    assert folders.has_lasting()
    folders.remove_lasting()
    assert not folders.has_lasting()
    assert (tmp_path / "remembered.json").exists()


@pytest.mark.parametrize("is_new", [True, False])
def test_a_new_checkout_does_not_take_up_what_one_before_it_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_new: bool
) -> None:
    monkeypatch.setattr(folders, "place", lambda: tmp_path / "servers")
    monkeypatch.setattr(world, "FOLDER", tmp_path / ".demo")
    monkeypatch.setattr(world, "choose_port", _stops_here)
    (folders.lasting("postgres") / "data").mkdir(parents=True)
    if not is_new:
        world.FOLDER.mkdir()
        Remembered(world.FOLDER / "remembered.json", password="known").save()
    with pytest.raises(InterruptedError), world.running({"smtp": 1}):
        pass
    assert folders.has_lasting() is not is_new
    path = world.FOLDER / "remembered.json"
    assert path.exists(), "a start that breaks off must know the passwords of what it has begun"
    assert (Remembered.load(path).password == "known") is not is_new


def _stops_here(*_given: object) -> int:
    raise InterruptedError
