"""What other instances call, outside `/api`: public, small, and believed only as far as it is signed."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.chassis.clock import ClockDep
from services.chassis.database import DatabaseDep
from services.federation import peer_documents
from services.federation.api import BorderDep
from services.federation.border import key_set_for
from services.federation.documents import LARGEST_DOCUMENT
from services.federation.domain import NotSigned

JOSE = "application/jose"

router = APIRouter(prefix="/federation", tags=["for peers"])


class Told(BaseModel):
    """The document was taken."""

    status: str = "taken"


@router.get("/profile")
async def present_ourselves(db: DatabaseDep, clock: ClockDep, border: BorderDep) -> Response:
    """Who we are, with our key set, signed by our root key."""
    async with db.reading() as session:
        return Response(await border.presentation(session, clock.now()), media_type=JOSE)


@router.get("/keys")
async def tell_keys(db: DatabaseDep, clock: ClockDep, border: BorderDep, link: UUID | None = None) -> Response:
    """Our key set, valid for seven days from now. `link`: our id of the reader's link, for what it must know of it."""
    async with db.reading() as session:
        document = await key_set_for(session, border.keys, link, now=clock.now())
    return Response(document, media_type=JOSE)


@router.post("/links", status_code=202)
async def take_request(request: Request, db: DatabaseDep, clock: ClockDep, border: BorderDep) -> Told:
    """An instance that we invited asks for the link."""
    text = await _document(request)
    async with db.transaction() as session:
        await peer_documents.receive_request(session, border, text, clock.now())
    return Told()


@router.post("/links/{link_id}/confirmed", status_code=202)
async def take_confirmation(
    link_id: UUID, request: Request, db: DatabaseDep, clock: ClockDep, border: BorderDep
) -> Told:
    """The instance that invited us has confirmed. `link_id`: ours."""
    text = await _document(request)
    async with db.transaction() as session:
        await peer_documents.receive_confirmation(session, border, link_id, text, clock.now())
    return Told()


@router.post("/endings", status_code=202)
async def take_ending(request: Request, db: DatabaseDep, clock: ClockDep, border: BorderDep) -> Told:
    """A peer ends its link with us, or refuses our request."""
    text = await _document(request)
    async with db.transaction() as session:
        await peer_documents.receive_ending(session, border, text, clock.now())
    return Told()


async def _document(request: Request) -> str:
    """The body, at most 64 KiB of it. Raises NotSigned."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_DOCUMENT:
            raise NotSigned(why="too large")
    try:
        return body.decode("ascii")
    except UnicodeDecodeError as error:
        raise NotSigned(why="not a signed document") from error
