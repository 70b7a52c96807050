"""How long, as people say it: "2 jours", "1 h 30", "45 minutes"."""

from services.chassis.problems import LANGUAGES, Language, Text

_MINUTES_A_DAY = 24 * 60
_DAYS: dict[Language, tuple[str, str]] = {"fr": ("jour", "jours"), "en": ("day", "days"), "nl": ("dag", "dagen")}
_HOURS: dict[Language, tuple[str, str]] = {"fr": ("heure", "heures"), "en": ("hour", "hours"), "nl": ("uur", "uur")}
_MINUTES: dict[Language, tuple[str, str]] = {
    "fr": ("minute", "minutes"),
    "en": ("minute", "minutes"),
    "nl": ("minuut", "minuten"),
}
_SHORT_HOUR: dict[Language, str] = {"fr": "h", "en": "h", "nl": "u"}
_AND: dict[Language, str] = {"fr": " et ", "en": " and ", "nl": " en "}


def duration(minutes: int) -> Text:
    """`minutes` (none below zero) in days, hours and minutes: a value that fills another Text."""
    return Text(**{language: _say(minutes, language) for language in LANGUAGES})


def days(number: int) -> Text:
    """So many days."""
    return duration(number * _MINUTES_A_DAY)


def _say(minutes: int, language: Language) -> str:
    whole_days, rest = divmod(minutes, _MINUTES_A_DAY)
    hours, left = divmod(rest, 60)
    said = [_count(whole_days, _DAYS[language])] if whole_days else []
    if hours and left:
        said.append(f"{hours} {_SHORT_HOUR[language]} {left:02}".replace(" ", "\N{NO-BREAK SPACE}"))
    elif hours:
        said.append(_count(hours, _HOURS[language]))
    elif left or not whole_days:
        said.append(_count(left, _MINUTES[language]))
    return _AND[language].join(said)


def _count(number: int, words: tuple[str, str]) -> str:
    return f"{number}\N{NO-BREAK SPACE}{words[number > 1]}"
