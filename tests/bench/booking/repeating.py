"""A weekly series over two years, checked and booked whole."""

import statistics
import time
from datetime import timedelta

import httpx

from tests.bench.booking.stage import BASE, Stage

DATES = 104


def report(stage: Stage, *, series: int) -> None:
    """Print how long an answer takes, each on a resource of its own."""
    url = f"{stage.coop.local.url}/api/booking/bookings/series"
    start = BASE + timedelta(days=1, hours=9)
    took: list[float] = []
    with httpx.Client(timeout=60, headers=stage.person.headers()) as client:
        for offer_id in stage.offers[-series:]:
            body = {"offer_id": str(offer_id), "start": start.isoformat()}
            body |= {"end": (start + timedelta(hours=1)).isoformat(), "rrule": f"FREQ=WEEKLY;COUNT={DATES}"}
            began = time.perf_counter()
            answer = client.post(url, json=body)
            took.append((time.perf_counter() - began) * 1000)
            if not answer.is_success:
                raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")
    slowest = max(took)
    print(
        f"a series of {DATES} dates: {statistics.median(took):.0f} ms median, {slowest:.0f} ms the slowest of {series}"
    )
