"""Meeting each other, from the page of a session to everybody's mail."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from icalendar import Calendar

from deploy.demo.api import Json, wait_for
from tests.journeys.conftest import Region

pytestmark = pytest.mark.xdist_group("journeys")


def test_a_freed_seat_is_offered_by_mail_accepted_and_called_off(region: Region) -> None:
    marie, karim, julie = (region.lille.members[key] for key in ("marie", "karim", "julie"))
    title = f"Codéveloppement {uuid4().hex[:6]}"
    session = _planned(marie, title)
    here = f"booking/sessions/{session['id']}"
    assert karim.post(f"{here}/sign-up", {"role": "client"})["mine"]["state"] == "taken"
    assert julie.post(f"{here}/sign-up", {"role": "client"})["mine"]["position"] == 1

    taken = _mail(region, karim.email, title, "Place confirmée")
    assert "https://video.example/salle" in taken["text"]
    karim.post(f"{here}/leave")
    offered = _mail(region, julie.email, title, "Une place se libère")
    assert "video.example" not in offered["text"]
    assert julie.post(f"{here}/accept")["mine"]["state"] == "taken"
    _mail(region, julie.email, title, "Place confirmée")

    marie.post(f"{here}/cancel", {"reason": "Salle fermée"})
    gone = _mail(region, julie.email, title, "Séance annulée")
    assert "Salle fermée" in gone["text"]
    assert _method(gone) == "CANCEL"
    assert _method(_mail(region, karim.email, title, "Vous ne participez plus")) == "CANCEL"


def _planned(organiser: Any, title: str) -> Json:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=10)
    form = {
        "title": title,
        "start": start.isoformat(),
        "end": (start + timedelta(hours=2)).isoformat(),
        "time_zone": "Europe/Paris",
        "video_url": "https://video.example/salle",
        "roles": [{"code": "client", "label": "Client·e", "minimum": 1, "maximum": 1}],
    }
    return organiser.post("booking/sessions", form)


def _mail(region: Region, address: str, title: str, begins: str) -> Json:
    """The mail about this session whose subject begins so, as soon as it has arrived."""

    def arrived() -> Json | None:
        mails = region.mailbox.to(address)
        return next((one for one in mails if one["subject"].startswith(begins) and title in one["subject"]), None)

    return wait_for(f"«{begins}» to {address}", arrived)


def _method(mail: Json) -> str:
    [attached] = mail["attachments"]
    return str(Calendar.from_ical(attached["content"])["METHOD"])
