"""The public face: the cooperative's profile and the key set."""

from typing import Any

from fastapi import APIRouter

from services.chassis.auth import Administrator
from services.chassis.database import DatabaseDep
from services.identity.api.given import SettingsDep, SignerDep
from services.identity.api.models import CooperativeForm, CooperativeView
from services.identity.commands import cooperative
from services.identity.commands.members import check_is_administrator
from services.identity.domain.addresses import email_address
from services.identity.domain.cooperative import Profile

router = APIRouter()


@router.get("/keys")
async def published_keys(signer: SignerDep) -> dict[str, Any]:
    """The JSON Web Key Set that tokens are checked with."""
    return signer.key_set()


@router.get("/cooperative")
async def read_cooperative(db: DatabaseDep) -> CooperativeView:
    """The public profile."""
    async with db.reading() as session:
        return CooperativeView.of(await cooperative.the_cooperative(session))


@router.put("/cooperative")
async def change_cooperative(
    form: CooperativeForm, actor: Administrator, db: DatabaseDep, settings: SettingsDep
) -> CooperativeView:
    """Replace the profile; an administrator's task."""
    contact = email_address(form.contact_email, field="contact_email").text if form.contact_email else None
    profile = Profile(
        name=form.name,
        summary=form.summary,
        locale=form.locale,
        time_zone=form.time_zone,
        place_label=form.place.label,
        latitude=form.place.latitude,
        longitude=form.place.longitude,
        contact_email=contact,
    )
    async with db.transaction() as session:
        await check_is_administrator(session, actor)
        return CooperativeView.of(await cooperative.describe(session, profile, web=settings.public_url))
