"""How long is said as people do, in the reader's language; holidays are named in it."""

import os
import subprocess
import sys
from datetime import date

import pytest

from services.booking.domain.holiday_calendar import holiday_name
from services.booking.domain.limits import NoticeIsOver, QuotaReached, TooEarlyForPeers
from services.chassis.durations import days, duration
from services.chassis.problems import FieldError, Text


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("minutes", "fr", "en", "nl"),
    [
        (0, "0 minute", "0 minute", "0 minuut"),
        (1, "1 minute", "1 minute", "1 minuut"),
        (45, "45 minutes", "45 minutes", "45 minuten"),
        (60, "1 heure", "1 hour", "1 uur"),
        (90, "1 h 30", "1 h 30", "1 u 30"),
        (125, "2 h 05", "2 h 05", "2 u 05"),
        (480, "8 heures", "8 hours", "8 uur"),
        (1440, "1 jour", "1 day", "1 dag"),
        (2880, "2 jours", "2 days", "2 dagen"),
        (3000, "2 jours et 2 heures", "2 days and 2 hours", "2 dagen en 2 uur"),
        (1530, "1 jour et 1 h 30", "1 day and 1 h 30", "1 dag en 1 u 30"),
    ],
)
def test_durations(minutes: int, fr: str, en: str, nl: str) -> None:
    said = duration(minutes)
    assert [plain(said.say(language)) for language in ("fr", "en", "nl")] == [fr, en, nl]


def test_a_text_fills_another_in_the_same_language() -> None:
    error = FieldError("start", "x", Text(fr="dans {time}", en="in {time}", nl="over {time}"), (("time", days(2)),))
    assert plain(error.say("nl")["detail"]) == "over 2 dagen"


def test_refusals_say_durations_and_keep_numbers_for_programs() -> None:
    body = NoticeIsOver(minutes=2880).body("fr", "")
    assert "au moins 2 jours avant le début" in plain(body["detail"])
    assert body["minutes"] == 2880
    assert "7 dagen vooraf" in plain(TooEarlyForPeers(days=7, opens="2027-05-01").body("nl", "")["detail"])
    one = QuotaReached(most=1, used=0.5, unit="hours", per="week").body("fr", "")
    assert one["detail"].startswith("Au plus 1 heure par semaine ; déjà réservé : 0,5.")


def test_holidays_are_named_in_the_readers_language_whatever_the_machine_speaks() -> None:
    easter = date(2027, 3, 29)
    assert [holiday_name("BE", easter).say(language) for language in ("fr", "en", "nl")] == [
        "Lundi de Pâques",
        "Easter Monday",
        "Paasmaandag",
    ]
    assert holiday_name("NL", easter).say("fr") == "Tweede paasdag"  # no French names there: the country's
    code = (
        "from services.booking.domain.holiday_calendar import *; print(public_holidays('FR', 2027)[date(2027, 3, 29)])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"LANGUAGE": "uk"}, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "Lundi de Pâques"
