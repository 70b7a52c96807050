"""A member who changes too much for a while is told how long, on a page that has all that they typed."""

from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

import httpx
import pytest

from tests.unit.portal.conftest import Browse, browse, usual
from tests.unit.portal.pretend import Pretend, problem
from tests.unit.portal.test_pages import FOR_COORDINATORS, FOR_MEMBERS

__all__ = ["browse", "usual"]  # fixtures

SENTENCE = "Cela fait beaucoup de changements en peu de temps. Rien n'a été enregistré : réessayez dans 3 minutes."
TEXTS = {"text", "search", "email", "url", "tel", ""}
Attributes = list[tuple[str, str | None]]


@dataclass
class PostForm:
    """A form of a page: where it goes, what it holds, and the names of the fields that people write in."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    written: list[str] = field(default_factory=list[str])


class Forms(HTMLParser):
    """The forms of a page that post."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._form: PostForm | None = None
        self._select = ""
        self.found: list[PostForm] = []

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            posts = given.get("method") == "post"
            self._form = PostForm(given.get("action") or self._path) if posts else None
            if self._form is not None:
                self.found.append(self._form)
        elif self._form is not None and given.get("name"):
            self._take(self._form, tag, given)
        elif self._form is not None and tag == "option" and self._select and "selected" in given:
            self._form.fields.append((self._select, given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def _take(self, form: PostForm, tag: str, given: dict[str, str]) -> None:
        name, kind = given["name"], given.get("type", "")
        if tag == "textarea" or (tag == "input" and kind in TEXTS):
            form.written.append(name)
        elif tag == "select":
            self._select = name
        elif tag == "input" and (kind not in {"checkbox", "radio", "file"} or "checked" in given):
            form.fields.append((name, given.get("value", "")))
        elif tag == "input" and kind == "checkbox" and "required" in given:
            form.fields.append((name, given.get("value", "on")))


def spent(request: httpx.Request) -> httpx.Response | None:
    """What services answer to whoever has changed too much."""
    if request.method == "GET" or not request.headers.get("authorization", "").startswith("Bearer"):
        return None
    return problem(429, "too-many-changes", SENTENCE, retry_after_seconds=171)


class Spent(Pretend):
    """Services at which this member may look, and change nothing for a while."""

    refused: int = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        refusal = spent(request)
        if refusal is None:
            return super().answer(request)
        self.refused += 1
        return refusal


@pytest.mark.parametrize("path", [*FOR_MEMBERS, *FOR_COORDINATORS])
async def test_nothing_that_was_typed_is_lost(browse: Browse, path: str) -> None:
    pretend = Spent(role="administrator")
    client = browse(pretend)
    forms = Forms(path)
    forms.feed((await client.get(path)).text)
    for form in forms.found:
        typed = [(name, f"mot{number}") for number, name in enumerate(form.written)]
        before = pretend.refused
        data = httpx.QueryParams([*form.fields, *typed])
        answer = await client.post(
            form.action, content=str(data), headers={"content-type": "application/x-www-form-urlencoded"}
        )
        if answer.status_code == 404:  # one of a pretended list, which is not there by itself
            continue
        if pretend.refused > before:
            assert (answer.status_code, answer.headers.get("retry-after")) == (429, "171"), form.action
            assert SENTENCE in unescape(answer.text), form.action
        lost = [name for name, word in typed if word not in answer.text]
        assert answer.status_code == 303 or not lost, (form.action, answer.status_code, lost)
