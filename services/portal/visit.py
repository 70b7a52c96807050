"""One visit: who reads, in which language, what they may call, and the page or redirect that they get."""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from contracts.identity import Locale
from services.chassis.problems import NotAllowed
from services.portal import security_words, words
from services.portal.client import Caller, Json, PartMissing, Refusal
from services.portal.device import device_of
from services.portal.forms import Form
from services.portal.language import choose
from services.portal.language import words as words_of
from services.portal.place import Portal, client_address
from services.portal.protection import form_token, is_own_form
from services.portal.session import Member

_YEAR = 365 * 24 * 3600
_MOST_FIELDS = 400


class SignInFirst(Exception):
    """This page is for members. `path`: where to go on afterwards."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class SecondFactorFirst(Exception):
    """This page is for a role that is on hold until its holder has a second factor."""


class ForeignForm(Exception):
    """A POST that did not come from a page that we showed to this browser, or from one that is too old."""


@dataclass(kw_only=True)
class Visit:
    """A request for a page. `missing` collects the parts that did not answer."""

    request: Request
    portal: Portal
    language: Locale
    address: str
    secret: str | None = None
    member: Member | None = None
    token: str | None = None
    missing: list[str] = field(default_factory=list[str])
    retry_after: str | None = None
    cookies: dict[str, tuple[str, int] | None] = field(default_factory=dict[str, tuple[str, int] | None])

    @property
    def caller(self) -> Caller:
        """On whose behalf calls are made."""
        return Caller(token=self.token, language=self.language, address=self.address)

    @property
    def device(self) -> str:
        """The browser that asks, as the list of sessions shows it."""
        return device_of(self.request.headers.get("user-agent", ""))

    @property
    def query(self) -> Form:
        """The address's parameters, as a form."""
        pairs = self.request.query_params.multi_items()
        return Form({name: [v for n, v in pairs if n == name] for name, _ in pairs})

    def say(self, text: str) -> str:
        """A marked French text in the reader's language."""
        return words_of(self.language).gettext(text)

    async def get(self, service: str, path: str, **params: Any) -> Any:
        """Read from a service. Parameters that are None or empty are left out. Raises Refusal, PartMissing."""
        given = {name.rstrip("_"): value for name, value in params.items() if value not in (None, "")}
        return await self.portal.services.ask(service, "GET", path, caller=self.caller, params=given)

    async def try_get(self, service: str, path: str, **params: Any) -> Any:
        """The same; None when there is no such thing for this person or the part is missing (which is noted)."""
        try:
            return await self.get(service, path, **params)
        except PartMissing as gone:
            if gone.service not in self.missing:
                self.missing.append(gone.service)
        except Refusal:
            pass
        return None

    async def send(
        self, service: str, method: str, path: str, json: Json | None = None, *, key: str | None = None, **more: Any
    ) -> Any:
        """Change something in a service; `key` makes doing it twice impossible. Raises Refusal, PartMissing."""
        headers = {"idempotency-key": key} if key else {}
        if json is not None:
            more["json"] = json
        try:
            return await self.portal.services.ask(service, method, path, caller=self.caller, headers=headers, **more)
        except Refusal as refusal:
            self.retry_after = refusal.retry_after
            raise

    async def with_session(self, method: str, path: str) -> Any:
        """Ask identity with the session itself instead of a token: only so does it answer about sessions.

        Raises Refusal, PartMissing.
        """
        headers = {"authorization": f"Session {self.secret}"}
        return await self.portal.services.ask("identity", method, path, caller=self.caller, headers=headers)

    async def form(self) -> Form:
        """What was posted. Raises ForeignForm when it is not from a page that we showed to this browser."""
        posted = await self.request.form(max_fields=_MOST_FIELDS, max_files=1)
        values: dict[str, list[str]] = {}
        for name, value in posted.multi_items():
            if isinstance(value, str):
                values.setdefault(name, []).append(value)
        form = Form(values)
        if not is_own_form(self.request, self._form_secret(), form["form"], self.portal.settings.public_url):
            raise ForeignForm
        form.key = form["key"] or form.key
        return form

    def _form_secret(self) -> str | None:
        return self.secret or self.request.cookies.get(self.portal.cookie("form"))

    async def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """The page `template`, with what every page shows around it."""
        if self._form_secret() is None:
            self.cookies["form"] = (secrets.token_urlsafe(24), _YEAR)
        around = await self._around()
        html = self.portal.looks.draw(self.language, template, {**around, **values})
        return self._with_cookies(HTMLResponse(html, status))

    async def _around(self) -> dict[str, Any]:
        cooperative, unread = await asyncio.gather(self.portal.cooperative(self.caller), self._unread())
        flash = self.request.cookies.get(self.portal.cookie("flash"))
        if flash is not None:
            self.cookies["flash"] = None
        pending = self.cookies.get("form")
        secret = self._form_secret() or (pending[0] if pending else "")
        theme = self.request.cookies.get(self.portal.cookie("theme"))
        return {
            "visit": self,
            "member": self.member,
            "cooperative": cooperative,
            "unread": unread,
            "flash": (words.FLASHES | security_words.FLASHES).get(flash or ""),
            "form_token": form_token(secret),
            "theme": theme if theme in {"light", "dark"} else "",
            "notice": self.portal.settings.notice,
            "hub": self.portal.settings.federation_hub,
            "path": self.request.url.path,
            "missing": self.missing,
        }

    async def _unread(self) -> int:
        if self.member is None:
            return 0
        try:
            return int((await self.get("notify", "/inbox/unread"))["count"])
        except Refusal:
            return 0

    def redirect(self, path: str, *, flash: str | None = None) -> RedirectResponse:
        """Go to `path` (ours) by GET, where the sentence `flash` of FLASHES is shown once."""
        if flash is not None:
            self.cookies["flash"] = (flash, 120)
        response = RedirectResponse(own_path(path), 303)
        if "session" in self.cookies and self.cookies["session"] is None:
            # drafts of forms, and pages of a browser that keeps them all the same, are not for whoever comes next
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        self._with_cookies(response)
        return response

    def _with_cookies(self, response: Response) -> Any:
        for name, kept in self.cookies.items():
            full = self.portal.cookie(name)
            if kept is None:
                response.delete_cookie(full, secure=self.portal.secure, httponly=True, samesite="lax")
            else:
                value, seconds = kept
                response.set_cookie(
                    full, value, max_age=seconds, secure=self.portal.secure, httponly=True, samesite="lax"
                )
        if self.retry_after is not None:
            response.headers["retry-after"] = self.retry_after
        response.headers["vary"] = "cookie, accept-language"
        response.headers["content-language"] = self.language
        return response


def own_path(path: str) -> str:
    """`path` when it stays on this portal, else the home page."""
    plain = path.replace("\\", "/")
    return quote(plain, safe="/?&=#%:,+;@~!$'()*") if plain.startswith("/") and not plain.startswith("//") else "/"


async def _visit(request: Request) -> Visit:
    portal: Portal = request.app.state.portal
    address = client_address(request, portal.settings.trusted_proxies)
    chosen = request.cookies.get(portal.cookie("language"))
    accept = request.headers.get("accept-language")
    language = choose(chosen, None, accept, portal.settings.locale)
    visit = Visit(request=request, portal=portal, language=language, address=address)
    secret = request.cookies.get(portal.cookie("session"))
    if secret is None:
        return visit
    try:
        known = await portal.sessions.resolve(secret, visit.caller)
    except PartMissing:
        visit.missing.append("identity")
        return visit
    if known is None:
        visit.cookies["session"] = None
        return visit
    visit.secret = secret
    visit.member, visit.token = known
    visit.language = choose(chosen, visit.member.locale, accept, portal.settings.locale)
    return visit


VisitDep = Annotated[Visit, Depends(_visit)]


async def _member_visit(visit: VisitDep) -> Visit:
    if visit.member is None:
        if "identity" in visit.missing:
            raise PartMissing(503, "unavailable", service="identity")
        url = visit.request.url
        here = url.path + (f"?{url.query}" if url.query else "") if visit.request.method == "GET" else "/"
        raise SignInFirst(here)
    return visit


MemberVisit = Annotated[Visit, Depends(_member_visit)]


async def _coordinator_visit(visit: MemberVisit) -> Visit:
    if visit.member is not None and visit.member.second_factor_late:
        raise SecondFactorFirst
    if visit.member is None or not visit.member.is_coordinator:
        raise NotAllowed
    return visit


CoordinatorVisit = Annotated[Visit, Depends(_coordinator_visit)]
