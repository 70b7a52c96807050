"""`python -m deploy.demo`: start, fill once, play the story, stay up."""

import argparse
import signal
import time
from types import FrameType

import httpx

from deploy.demo import seed, story, world
from deploy.demo.api import Refused, wait_for
from deploy.demo.people import OPENFLOW, OPTEOS
from deploy.demo.terminal import bold, say, step
from deploy.demo.world import World
from deploy.local import memory
from deploy.local.packages import PackageMissing
from deploy.local.processes import ServerFailed

PORTS = {
    "opteos": 8100,
    "openflow": 8200,
    "mail": 8300,
    "smtp": 8325,
    "postgres": 8332,
    "amqp": 8372,
    "amqps": 8374,
    "management": 8373,
}


def main(arguments: list[str]) -> int:
    """Run the demo. 0: the story came to its end; 1: it did not; 130: stopped by Ctrl-C before."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell that starts us in the background has SIGINT ignored
        signal.signal(number, _as_interrupt)
    began = time.perf_counter()
    try:
        with world.running(PORTS) as running:
            told = _tell(running, began)
            if options.memory:
                time.sleep(60)
                say(memory.report(running.pids()))
            if told and not options.check:
                _stay_up(running)
            return 0 if told else 1
    except (ServerFailed, PackageMissing) as error:
        say(f"The demo cannot run: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nStopped; the data stay for the next `make demo` (`make clean` removes them).")
        return 130 if options.check else 0


def _tell(running: World, began: float) -> bool:
    lille, namur = running.towns[OPTEOS.slug], running.towns[OPENFLOW.slug]
    try:
        if not running.memory.filled:
            say(bold("\nTwo cooperatives are founded (sample data, not those cooperatives' own)"))
            seed.fill(lille, namur, running.mailbox)
            running.memory.filled = True
            running.memory.save()
        say(bold("\nThe main job: from a need in Lille to a confirmed booking in Namur"))
        story.play(lille, namur, running.mailbox, running.kill_and_restart)
        with step("What goes from one cooperative to the other is encrypted") as shown:
            connections = wait_for("the connections of peers", running.peers_connections)
            shown.note(f"{connections} connections of shovels, all AMQPS, verified by the demo's own authority")
    except (TimeoutError, AssertionError, RuntimeError, httpx.HTTPError, Refused) as error:
        say(f"\nThe story broke off: {error}")
        say(f"Logs: {', '.join(str(one.log('all')) for one in running.instances.values())}")
        return False
    say(bold(f"\nMain job done, {time.perf_counter() - began:.1f} s after the start."))
    return True


def _stay_up(running: World) -> None:
    say()
    for town in running.towns.values():
        say(f"{town.cooperative.name:10} {bold(town.url)}")
        for person in town.cooperative.people:
            say(f"           {person.email:26} {person.name} ({person.role})")
    say(f"password   {bold(running.memory.password)}   (all demo accounts)")
    say(f"mail       {bold(running.mailbox.url)}")
    say("\nSample data, not those cooperatives' own. Ctrl-C stops everything that was started here.")
    while True:
        time.sleep(3600)


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make demo ARGS=…", description=__doc__)
    parser.add_argument("--check", action="store_true", help="play the story, stop, and exit 0 or 1")
    parser.add_argument("--memory", action="store_true", help="after 60 s, print the memory (PSS) of all processes")
    return parser
