"""Dates and times as people say them: "jeudi 19 mars, 14 h – 17 h"."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta, get_day_names, get_month_names, get_timezone_location
from babel.lists import format_list

from contracts.identity import Locale
from services.chassis.durations import duration

_DAY = {"fr": "EEEE d MMMM", "nl": "EEEE d MMMM", "en": "EEEE d MMMM"}
_SHORT = {"fr": "EEE d MMM", "nl": "EEE d MMM", "en": "EEE d MMM"}
_DAY_MINUTES = 24 * 60
_DASH = "\N{NO-BREAK SPACE}– "
_RECENT = timedelta(days=6)


@dataclass(frozen=True)
class Moments:
    """Says moments in one language, in the time zone `zone` unless another is given."""

    language: Locale
    zone: str

    def local(self, moment: str | datetime, zone: str | None = None) -> datetime:
        """`moment` (RFC 3339 when text) on the clocks of `zone`."""
        instant = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return instant.astimezone(ZoneInfo(zone or self.zone))

    def day(self, value: str | date | datetime, zone: str | None = None) -> str:
        """A day, "jeudi 19 mars", with the year when it is not this one."""
        day = self._date(value, zone)
        pattern = _DAY[self.language] + ("" if day.year == self._today().year else " y")
        return _first(format_date(day, pattern, locale=self.language), day, self.language)

    def dated(self, value: str) -> str:
        """A date for accounts: "1er mars 2026"."""
        day = date.fromisoformat(value)
        text = format_date(day, "d MMMM y", locale=self.language)
        return text.replace("1 ", "1er ", 1) if self.language == "fr" and day.day == 1 else text

    def city(self, zone: str) -> str:
        """The city whose clocks `zone` follows, by its name in this language: "Bruxelles"."""
        return get_timezone_location(zone, locale=self.language, return_city=True)

    def short_day(self, value: str | date | datetime, zone: str | None = None) -> str:
        """A day in little room: "jeu. 19 mars"."""
        day = self._date(value, zone)
        return _first(format_date(day, _SHORT[self.language], locale=self.language), day, self.language)

    def clock(self, moment: str | datetime, zone: str | None = None) -> str:
        """A time of day: "14 h", "14 h 30", "14:30"."""
        local = self.local(moment, zone)
        return self.hours(local.hour * 60 + local.minute)

    def hours(self, minutes: int) -> str:
        """A time of day, given in minutes after midnight."""
        hour, minute = divmod(minutes, 60)
        if self.language == "fr":
            text = f"{hour} h {minute:02}" if minute else f"{hour} h"
            return text.replace(" ", "\N{NO-BREAK SPACE}")
        return f"{hour}.{minute:02}" if self.language == "nl" else f"{hour}:{minute:02}"

    def at(self, moment: str | datetime, zone: str | None = None) -> str:
        """A day and time: "jeudi 19 mars, 14 h"."""
        return f"{self.day(moment, zone)}, {self._hour_words(self.clock(moment, zone))}"

    def period(self, start: str | datetime, end: str | datetime, zone: str | None = None) -> str:
        """From when to when, "jeudi 19 mars, 14 h – 17 h"; both days when it ends on another."""
        first, last = self.local(start, zone), self.local(end, zone)
        ends_at_midnight = last.date() == first.date() + timedelta(days=1) and last.hour == last.minute == 0
        if first.date() != last.date() and not ends_at_midnight:
            return f"{self.at(first, zone)} – {self.at(last, zone)}"
        end_clock = self.hours(_DAY_MINUTES) if ends_at_midnight else self.clock(last, zone)
        return f"{self.day(first, zone)}, {self._hour_words(f'{self.clock(first, zone)}{_DASH}{end_clock}')}"

    def until(self, start: str, end: str, zone: str | None = None) -> str:
        """When something that began at `start` ends: a time of day, with its day when that is another."""
        same_day = self.local(start, zone).date() == (self.local(end, zone) - timedelta(seconds=1)).date()
        return self._hour_words(self.clock(end, zone)) if same_day else self.at(end, zone)

    def ago(self, moment: str | datetime) -> str:
        """How long ago, for the last days ("il y a 3 heures"), else the day and time."""
        instant = self.local(moment)
        past = datetime.now(instant.tzinfo) - instant
        if timedelta(0) <= past < _RECENT:
            return format_timedelta(
                -past, granularity="minute", threshold=1.2, add_direction=True, locale=self.language
            )
        return self.at(instant)

    def last_day(self, end: str) -> str:
        """The last day of something that stands until the instant `end`."""
        return self.day(self.local(end) - timedelta(seconds=1))

    def weekday(self, number: int) -> str:
        """The name of a day of the week, 0 for Monday."""
        return get_day_names(locale=self.language)[number]

    def month(self, number: int) -> str:
        """The name of a month, 1 for January."""
        return get_month_names(locale=self.language)[number]

    def day_of_year(self, written: str) -> str:
        """A day of every year, written "MM-DD": "1er juin"."""
        day = date.fromisoformat(f"2000-{written}")
        text = format_date(day, "d MMMM", locale=self.language)
        return f"1er{text[1:]}" if self.language == "fr" and day.day == 1 else text

    def days(self, first: str, last: str) -> str:
        """From day to day, "lundi 3 août – vendredi 14 août"; one day alone when they are the same."""
        return self.day(first) if first == last else f"{self.day(first)} – {self.day(last)}"

    def some_days(self, days: list[str]) -> str:
        """Days in order, "jeudi et vendredi" in the next seven days, else with their dates; many in a row in short."""
        dates = [date.fromisoformat(day) for day in days]
        if len(dates) > 2 and dates[-1] - dates[0] == timedelta(days=len(dates) - 1):  # noqa: PLR2004 - "and" says two
            return self.days(days[0], days[-1])
        soon = timedelta(0) <= dates[0] - self._today() and dates[-1] - self._today() <= _RECENT
        return format_list(
            [self.weekday(day.weekday()) if soon else self.day(day) for day in dates], locale=self.language
        )

    def duration(self, minutes: int) -> str:
        """How long: "30 minutes", "2 heures", "1 h 30", "1 jour et 12 heures"."""
        return duration(minutes).say(self.language)

    def spent(self, minutes: int) -> str:
        """How long something was used, in hours and minutes, however long: "50 h 30", "45 min"."""
        hours, rest = divmod(minutes, 60)
        if not hours and rest:
            return f"{rest}\N{NO-BREAK SPACE}min"
        letter = "u" if self.language == "nl" else "h"
        return f"{hours} {letter} {rest:02}".removesuffix(" 00").replace(" ", "\N{NO-BREAK SPACE}")

    def field(self, moment: str | None, zone: str | None = None) -> str:
        """The value of a `datetime-local` field for an instant."""
        return self.local(moment, zone).strftime("%Y-%m-%dT%H:%M") if moment else ""

    def instant(self, typed: str, zone: str | None = None) -> str:
        """RFC 3339 for what was typed in a date or datetime-local field; what is no date stays as it was typed."""
        try:
            naive = datetime.fromisoformat(typed)
        except ValueError:
            return typed
        return naive.isoformat() if naive.tzinfo else naive.replace(tzinfo=ZoneInfo(zone or self.zone)).isoformat()

    def _hour_words(self, text: str) -> str:
        return f"{text} uur" if self.language == "nl" else text

    def _date(self, value: str | date | datetime, zone: str | None) -> date:
        if isinstance(value, str) and "T" not in value:
            return date.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        return self.local(value, zone).date()

    def _today(self) -> date:
        return datetime.now(ZoneInfo(self.zone)).date()


def _first(text: str, day: date, language: Locale) -> str:
    return text.replace(" 1 ", " 1er ", 1) if language == "fr" and day.day == 1 else text
