"""Further conditions of a resource as a form: seasons, closures, holidays, whom it is for, quotas, price, notice.

Rows (seasons, closures, quotas) are numbered from 0; a row that is emptied goes, one more is a button that draws the
page again. Fields are called as booking calls them ("terms.closures.0.first" is `terms_closures_0_first`), so that
what it says about one stands beside it.
"""

import re
from typing import Any

from services.portal.client import Json, Refusal
from services.portal.forms import Form

_MOST_ROWS = {"seasons": 12, "closures": 100, "quotas": 12}
_NEEDED = {"seasons": ("from_day", "to_day"), "closures": ("first", "last"), "quotas": ("most",)}
_GROUPED = re.compile(r"(opening_hours|terms_seasons_\d+_(?:opening_hours|begins|ends))(?:_.*)?")
_PLAIN = ("deposit", "instructions", "cancel_notice_minutes", "peers_within_days", "holidays", "approvals_needed")
TERMS_DEFAULTS: dict[str, Any] = {
    "capacity": 1,
    "rows_seasons": 0,
    "rows_closures": 1,
    "rows_quotas": 1,
    "terms_peers": "yes",
    "terms_approvals_needed": 1,
    "terms_price_kind": "free",
    "terms_cancel_notice_minutes": 0,
}


def add_row(form: Form) -> None:
    """One row more of what `more` names."""
    kind = form["more"]
    if kind in _MOST_ROWS:
        form.values[f"rows_{kind}"] = [str(min(count(form, kind) + 1, _MOST_ROWS[kind]))]


def count(form: Form, kind: str) -> int:
    """How many rows of `kind` the form has."""
    typed = form[f"rows_{kind}"]
    return min(int(typed), _MOST_ROWS[kind]) if typed.isdecimal() else 0


def refused(form: Form, refusal: Refusal) -> Form:
    """Take over what booking said; what is wrong within hours or the days of a season stands beside them."""
    form.refused(refusal)
    for name in list(form.errors):
        grouped = _GROUPED.fullmatch(name)
        if grouped is not None:
            form.errors.setdefault(grouped[1], form.errors.pop(name))
    return form


def hours_of(form: Form, before: str = "") -> list[Json]:
    """The opening hours whose fields begin with `before`: two for each day that is ticked."""
    hours: list[Json] = []
    for day in range(7):
        if not form.has(f"{before}open_days", str(day)):
            continue
        for again in ("", "again_"):
            opens, closes = (form[f"{before}{side}_{again}{day}"] for side in ("opens", "closes"))
            if opens or closes:
                hours.append(
                    {"weekday": day, "opens": opens, "closes": "24:00" if closes in {"00:00", "24:00"} else closes}
                )
    return hours


def hours_fields(opening_hours: list[Json], before: str = "") -> dict[str, Any]:
    """The fields that show `opening_hours`; days without any show usual hours, not ticked."""
    values: dict[str, Any] = {f"{before}open_days": sorted({one["weekday"] for one in opening_hours})}
    for day in range(7):
        of_day = sorted((one["opens"], one["closes"]) for one in opening_hours if one["weekday"] == day)
        first = of_day[0] if of_day else ("09:00", "18:00")
        second = of_day[1] if len(of_day) > 1 else ("", "")
        for again, (opens, closes) in (("", first), ("again_", second)):
            values[f"{before}opens_{again}{day}"] = opens
            values[f"{before}closes_{again}{day}"] = closes.replace("24:00", "00:00")
    return values


def terms_of(form: Form) -> Json:
    """The form as booking's TermsForm. Rows that were emptied are left out of the form too."""
    for kind in _MOST_ROWS:
        _close_ranks(form, kind)
    return {
        **{name: form[f"terms_{name}"] for name in ("deposit", "instructions")},
        "holidays": form.or_none("terms_holidays"),
        "approvals_needed": form["terms_approvals_needed"] or 1,
        "circle_ids": form.all("terms_circle_ids"),
        "roles": form.all("terms_roles"),
        "peers": form.has("terms_peers", "yes"),
        "private": form.has("terms_private", "yes"),
        "peers_within_days": form.or_none("terms_peers_within_days"),
        "cancel_notice_minutes": form["terms_cancel_notice_minutes"] or 0,
        "price": {"kind": form["terms_price_kind"] or "free", "amount": form["terms_price_amount"] or "0"},
        "seasons": [_season(form, f"terms_seasons_{row}_") for row in range(count(form, "seasons"))],
        "closures": [_closure(form, f"terms_closures_{row}_") for row in range(count(form, "closures"))],
        "quotas": [_quota(form, f"terms_quotas_{row}_") for row in range(count(form, "quotas"))],
    }


def quotas_of(form: Form) -> list[Json]:
    """The rows of limits alone."""
    _close_ranks(form, "quotas")
    return [_quota(form, f"terms_quotas_{row}_") for row in range(count(form, "quotas"))]


def quota_fields(quotas: list[Json]) -> dict[str, Any]:
    """The fields that show `quotas`, with an empty row for one more."""
    rows = {f"terms_quotas_{row}_{name}": value for row, one in enumerate(quotas) for name, value in one.items()}
    return {"rows_quotas": len(quotas) + 1, **rows}


def terms_fields(terms: Json) -> dict[str, Any]:
    """The fields that show `terms`, with an empty row for one more closure and quota."""
    price = terms["price"] or {"kind": "free", "amount": ""}
    values: dict[str, Any] = {f"terms_{name}": terms[name] for name in (*_PLAIN, "circle_ids", "roles")}
    values |= {
        "terms_peers": "yes" if terms["peers"] else "",
        "terms_private": "yes" if terms.get("private") else "",
        "terms_price_kind": price["kind"],
        "terms_price_amount": price["amount"] if price["kind"] in {"fixed", "hourly"} else "",
        "rows_seasons": len(terms["seasons"]),
        "rows_closures": len(terms["closures"]) + 1,
        **quota_fields(terms["quotas"]),
    }
    for row, season in enumerate(terms["seasons"]):
        before = f"terms_seasons_{row}_"
        values |= hours_fields(season["opening_hours"], before) | {f"{before}label": season["label"]}
        for side, written in (("from", season["begins"]), ("to", season["ends"])):
            values |= {f"{before}{side}_month": int(written[:2]), f"{before}{side}_day": int(written[3:])}
    for row, one in enumerate(terms["closures"]):
        values |= {f"terms_closures_{row}_{name}": value for name, value in one.items()}
    return values


def _season(form: Form, before: str) -> Json:
    begins, ends = (
        f"{form[f'{before}{side}_month'].zfill(2)}-{form[f'{before}{side}_day'].zfill(2)}" for side in ("from", "to")
    )
    return {"label": form[f"{before}label"], "begins": begins, "ends": ends, "opening_hours": hours_of(form, before)}


def _closure(form: Form, before: str) -> Json:
    first, last = form[f"{before}first"], form[f"{before}last"]
    return {"first": first or last, "last": last or first, "label": form[f"{before}label"]}


def _quota(form: Form, before: str) -> Json:
    return {name: form[f"{before}{name}"] for name in ("scope", "per", "unit", "most")}


def _close_ranks(form: Form, kind: str) -> None:
    """Leave out the rows that say nothing, and number the others anew."""
    rows = [
        row for row in range(count(form, kind)) if any(form[f"terms_{kind}_{row}_{name}"] for name in _NEEDED[kind])
    ]
    kept: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        before = f"terms_{kind}_{row}_"
        for name, value in form.values.items():
            if name.startswith(before):
                kept[f"terms_{kind}_{number}_{name.removeprefix(before)}"] = value
    others = {name: value for name, value in form.values.items() if not re.match(rf"terms_{kind}_\d+_", name)}
    form.values = others | kept | {f"rows_{kind}": [str(len(rows))]}
