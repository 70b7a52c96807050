"""When there is no page to show: calm sentences instead, in the reader's language."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from services.chassis import logs, tracing
from services.chassis.http import answer
from services.chassis.problems import Accident, NotAllowed, NotFound, NotSignedIn, Problem, TooLarge
from services.portal.client import PartMissing, Refusal
from services.portal.language import choose
from services.portal.place import Portal
from services.portal.visit import ForeignForm, SecondFactorFirst, SignInFirst

log = logs.get(__name__)


def add_to(app: FastAPI) -> None:
    """Pages for what goes wrong; the API's problem documents stay below `/api` and `/federation`."""
    app.add_exception_handler(SignInFirst, _sign_in_first)
    app.add_exception_handler(SecondFactorFirst, _second_factor_first)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ForeignForm, _foreign)
    app.add_exception_handler(Exception, _failed)


async def _sign_in_first(_request: Request, error: Exception) -> Response:
    path = error.path if isinstance(error, SignInFirst) else "/"
    return RedirectResponse(f"/account/sign-in?next={quote(path, safe='')}", 303)


async def _second_factor_first(_request: Request, _error: Exception) -> Response:
    return RedirectResponse("/me/second-factor", 303)


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, PartMissing):
        return _page(request, 503, part=error.service)
    if not isinstance(error, Refusal):
        return _page(request, 500)
    if error.status == NotSignedIn.status:
        _forget_session(request)
        return await _sign_in_first(request, SignInFirst(request.url.path if request.method == "GET" else "/"))
    page = _page(request, error.status, detail=error.detail)
    if error.retry_after is not None:
        page.headers["retry-after"] = error.retry_after
    return page


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        return _page(request, 500)
    return answer(request, error) if _is_api(request) else _page(request, error.status)


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if _is_api(request):
        known = {NotAllowed.status: NotAllowed, TooLarge.status: TooLarge}
        return answer(request, known.get(status, NotFound)(), status=status)
    return _page(request, status)


async def _invalid(request: Request, _error: Exception) -> Response:
    return answer(request, NotFound()) if _is_api(request) else _page(request, 404)


async def _foreign(request: Request, _error: Exception) -> Response:
    log.info("foreign-form", path=request.url.path, site=request.headers.get("sec-fetch-site"))
    return _page(request, 403, stale_form=True)


async def _failed(request: Request, error: Exception) -> Response:
    log.error("page-failed", path=request.url.path, error=repr(error), exc_info=error)
    return answer(request, Accident()) if _is_api(request) else _page(request, 500)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/federation/"))


def _forget_session(request: Request) -> None:
    portal: Portal = request.app.state.portal
    secret = request.cookies.get(portal.cookie("session"))
    if secret is not None:
        portal.sessions.forget(secret)


def _page(request: Request, status: int, *, detail: str = "", part: str = "", stale_form: bool = False) -> HTMLResponse:
    """A page that asks no service: it must work when none answers."""
    portal: Portal = request.app.state.portal
    language = choose(
        request.cookies.get(portal.cookie("language")),
        None,
        request.headers.get("accept-language"),
        portal.settings.locale,
    )
    theme = request.cookies.get(portal.cookie("theme"))
    html = portal.looks.draw(
        language,
        "error.html",
        {
            "status": status,
            "detail": detail,
            "part": part,
            "stale_form": stale_form,
            "trace": tracing.correlation_id() or "",
            "cooperative": portal.known_cooperative(),
            "theme": theme if theme in {"light", "dark"} else "",
            "notice": portal.settings.notice,
            "member": None,
            "unread": 0,
            "flash": None,
            "form_token": "",
            "path": request.url.path,
            "missing": [],
        },
    )
    return HTMLResponse(html, status, headers={"content-language": language})
