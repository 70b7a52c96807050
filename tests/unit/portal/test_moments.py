from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.identity import Locale
from services.portal.moments import Moments

YEAR = datetime.now(ZoneInfo("Europe/Paris")).year


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "jeudi 19 mars 2020, 14 h – 17 h 30"),
        ("nl", "donderdag 19 maart 2020, 14.00 – 17.30 uur"),
        ("en", "Thursday 19 March 2020, 14:00 – 17:30"),
    ],
)
def test_a_period_is_said_as_people_say_it(language: Locale, said: str) -> None:
    moments = Moments(language, "Europe/Paris")
    assert plain(moments.period("2020-03-19T13:00:00Z", "2020-03-19T16:30:00Z")) == said


def test_this_year_is_not_said() -> None:
    assert str(YEAR) not in Moments("fr", "Europe/Paris").day(f"{YEAR}-03-19")


def test_the_first_of_a_month_is_premier() -> None:
    assert Moments("fr", "Europe/Paris").day("2020-03-01") == "dimanche 1er mars 2020"


def test_midnight_ends_the_same_day() -> None:
    said = Moments("fr", "Europe/Paris").period("2020-03-19T20:00:00+01:00", "2020-03-20T00:00:00+01:00")
    assert plain(said) == "jeudi 19 mars 2020, 20 h – 24 h"


def test_two_days_are_both_said() -> None:
    said = plain(Moments("fr", "Europe/Paris").period("2020-03-19T20:00:00+01:00", "2020-03-20T10:00:00+01:00"))
    assert said == "jeudi 19 mars 2020, 20 h – vendredi 20 mars 2020, 10 h"


def test_the_resources_zone_counts_not_the_readers() -> None:
    assert plain(Moments("fr", "Europe/Paris").clock("2020-07-01T12:00:00Z", "Indian/Reunion")) == "16 h"


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("2020-03-28T12:00", "2020-03-28T12:00:00+01:00"),
        ("2020-03-29T12:00", "2020-03-29T12:00:00+02:00"),
        ("2020-03-29T12:00:00+00:00", "2020-03-29T12:00:00+00:00"),
        ("demain", "demain"),
    ],
)
def test_typed_times_get_the_offset_of_that_day(typed: str, instant: str) -> None:
    assert Moments("fr", "Europe/Paris").instant(typed) == instant


def test_what_is_recent_is_said_as_ago() -> None:
    moments = Moments("fr", "Europe/Paris")
    assert moments.ago(datetime.now(UTC) - timedelta(hours=3)) == "il y a 3 heures"
    assert "2020" in moments.ago("2020-03-19T13:00:00Z")


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(30, "30 minutes"), (60, "1 heure"), (90, "1 h 30"), (2880, "2 jours"), (2160, "1 jour et 12 heures")],
)
def test_durations(minutes: int, said: str) -> None:
    assert plain(Moments("fr", "Europe/Paris").duration(minutes)) == said


def test_durations_are_said_in_each_language() -> None:
    assert [plain(Moments(language, "Europe/Paris").duration(90)) for language in ("fr", "nl", "en")] == [
        "1 h 30",
        "1 u 30",
        "1 h 30",
    ]
    assert plain(Moments("nl", "Europe/Paris").duration(3000)) == "2 dagen en 2 uur"


def test_a_time_zone_is_named_after_its_city_in_the_readers_language() -> None:
    assert [Moments(language, "Europe/Paris").city("Europe/Brussels") for language in ("fr", "nl", "en")] == [
        "Bruxelles",
        "Brussel",
        "Brussels",
    ]


def test_durations_of_accounts_are_hours_however_many() -> None:
    french = Moments("fr", "Europe/Paris")
    said = {minutes: plain(french.spent(minutes)) for minutes in (0, 45, 60, 65, 3030)}
    assert said == {0: "0 h", 45: "45 min", 60: "1 h", 65: "1 h 05", 3030: "50 h 30"}
    assert plain(Moments("nl", "Europe/Paris").spent(90)) == "1 u 30"


def test_dates_of_accounts_carry_their_year() -> None:
    assert Moments("fr", "Europe/Paris").dated("2026-03-01") == "1er mars 2026"
    assert Moments("en", "Europe/Paris").dated("2026-03-11") == "11 March 2026"
