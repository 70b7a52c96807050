"""Periods as people say them, in the zone of the thing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as trial
from hypothesis import strategies as st

from contracts.identity import Locale
from services.notify.dates import instant, say_instant, say_period

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def period(start: str, end: str, zone: str = "Europe/Paris", locale: Locale = "fr", home: str = "Europe/Paris") -> str:
    said = say_period(instant(start), instant(end), zone, locale, now=NOW, home=home)
    return said.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-03-19T13:00Z", "2026-03-19T16:00Z", "jeudi 19 mars, 14 h – 17 h"),
        ("2026-03-19T13:30Z", "2026-03-19T16:05Z", "jeudi 19 mars, 14 h 30 – 17 h 05"),
        ("2026-04-01T07:00Z", "2026-04-01T08:00Z", "mercredi 1er avril, 9 h – 10 h"),
        ("2026-03-19T19:00Z", "2026-03-19T23:00Z", "jeudi 19 mars, 20 h – minuit"),
        ("2026-03-19T19:00Z", "2026-03-20T09:00Z", "jeudi 19 mars, 20 h – vendredi 20 mars, 10 h"),
        ("2027-01-01T08:00Z", "2027-01-01T09:00Z", "vendredi 1er janvier 2027, 9 h – 10 h"),
        ("2026-03-28T12:00Z", "2026-03-29T12:00Z", "samedi 28 mars, 13 h – dimanche 29 mars, 14 h"),
        ("2026-10-24T12:00Z", "2026-10-25T12:00Z", "samedi 24 octobre, 14 h – dimanche 25 octobre, 13 h"),
    ],
)
def test_a_period_is_said_as_people_say_it(start: str, end: str, said: str) -> None:
    assert period(start, end) == said


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "Thursday 19 March, 14:00 – 17:00"),
        ("nl", "donderdag 19 maart, 14:00 – 17:00"),
    ],
)
def test_other_languages(locale: Locale, said: str) -> None:
    assert period("2026-03-19T13:00Z", "2026-03-19T16:00Z", locale=locale) == said


def test_the_place_of_the_hours_is_named_only_where_clocks_differ() -> None:
    same = period("2026-03-19T13:00Z", "2026-03-19T16:00Z", "Europe/Brussels")
    other = period("2026-03-19T13:00Z", "2026-03-19T16:00Z", "Europe/London")
    assert same == "jeudi 19 mars, 14 h – 17 h"
    assert other == "jeudi 19 mars, 13 h – 16 h (heure de Londres)"


def test_an_instant() -> None:
    said = say_instant(instant("2026-03-19T13:00:00+00:00"), "Europe/Paris", "fr", now=NOW)
    assert said == "jeudi 19 mars à 14\N{NO-BREAK SPACE}h"


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="no offset"):
        instant("2026-03-19T13:00:00")


@trial(deadline=None)
@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - its own way
    minutes=st.integers(5, 60 * 24 * 40),
    zone=st.sampled_from(["Europe/Paris", "Europe/Brussels", "America/Guadeloupe", "Asia/Kathmandu", "Nowhere/Here"]),
    locale=st.sampled_from(["fr", "en", "nl"]),
)
def test_every_period_is_one_line_with_its_two_ends(start: datetime, minutes: int, zone: str, locale: Locale) -> None:
    said = say_period(start, start + timedelta(minutes=minutes), zone, locale, now=NOW, home="Europe/Paris")
    assert said.count(" – ") == 1
    assert "\n" not in said
