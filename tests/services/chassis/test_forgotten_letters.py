"""What could not be handled and is about somebody who has left does not stay among the dead letters."""

from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import letters, names
from tests.services.chassis.trial import EFFECTS, Probed, Trial, until

DEAD = names.dead("notify")
ZOE, PAUL = "0190a000-0000-7000-8000-0000000000a1", "0190a000-0000-7000-8000-0000000000b2"


class Told(Probed):
    """Something about somebody; "gone …": they have left."""

    @property
    def forgotten(self) -> tuple[str, ...]:
        word, _, who = self.what.partition(" ")
        return (who,) if word == "gone" else ()


def handled_again() -> float:
    labels = {"service": "notify", "type": Told.type, "outcome": "duplicate"}
    return REGISTRY.get_sample_value("maillage_events_handled_total", labels) or 0


async def dead_letters(trial: Trial) -> list[str]:
    async with letters.letters(trial.settings.broker_url("notify"), "notify") as found:
        return sorted(Told.model_validate_json(one.message.body).what for one in found)


async def test_letters_about_who_has_left_are_deleted_and_looked_for_again_when_retries_have_ended(
    trial: Trial,
) -> None:
    @trial.consumers.on(Told)
    async def fail_on_letters(event: Told, session: AsyncSession) -> None:
        if event.what.startswith("letter"):
            raise RuntimeError("cannot be handled")
        await session.execute(EFFECTS.insert().values(what=event.what))

    async with trial.listening(), trial.relaying():
        await trial.say(f"letter to {ZOE}", f"letter to {PAUL}", f"letter from {ZOE}")
        await until(lambda: holds(trial, 3))
        before = handled_again()
        await trial.say("nothing special", f"gone {ZOE}")
        await until(lambda: holds(trial, 1))
        await until(lambda: looked_again(before))
        assert await dead_letters(trial) == [f"letter to {PAUL}"]
    assert await trial.effects() == [f"gone {ZOE}", "nothing special"]


async def holds(trial: Trial, count: int) -> bool:
    return await trial.waiting(DEAD) == count


async def looked_again(before: float) -> bool:
    return handled_again() == before + 2
