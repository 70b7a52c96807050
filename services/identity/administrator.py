"""`python -m services administrator`: the first administrator and the cooperative's profile, for a fresh instance."""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis import logs, outbox
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.chassis.problems import Problem
from services.chassis.settings import load
from services.identity.commands import cooperative, credentials, second_factor
from services.identity.domain.addresses import EmailAddress, email_address
from services.identity.domain.cooperative import Profile
from services.identity.domain.members import Member
from services.identity.domain.passwords import check_password, leaked
from services.identity.hashing import PasswordHashes
from services.identity.leaked import LeakedPasswords
from services.identity.settings import IdentitySettings
from services.identity.tables import member


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command was asked for. `password` is None when a link should be printed instead."""

    profile: Profile
    address: EmailAddress
    name: str
    password: str | None
    without_second_factor: bool = False


class UnknownAdministrator(LookupError):
    """Nobody's second factor is forgotten, since no administrator has this address; the text says so."""


def main(arguments: list[str]) -> None:
    """Make sure that this person is an administrator and that the cooperative has a profile.

    Run again it changes nothing that is there, except that a member becomes an administrator. Prints one line; without
    a password it is a link with which one is chosen within 24 hours.
    """
    settings = load(IdentitySettings)
    options = _parse(arguments, settings)
    try:
        print(asyncio.run(_run(settings, _read(options, settings))))  # noqa: T201 - a command's answer
    except (OSError, SQLAlchemyError) as error:
        where = settings.database_url("identity").render_as_string(hide_password=True)
        sys.exit(f"database {where}: {logs.line_of(error)}")
    except UnknownAdministrator as error:
        sys.exit(str(error))
    except Problem as problem:
        details = [error.text.say("en", **dict(error.values)) for error in getattr(problem, "errors", ())]
        sys.exit(" ".join([problem.text.say("en", **problem.values), *details]))


def _parse(arguments: list[str], settings: IdentitySettings) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m services administrator", description=main.__doc__)
    parser.add_argument("--email", required=True)
    parser.add_argument("--name", required=True, help="how the person is called")
    parser.add_argument("--password-file", type=Path, help="a file whose first line is the password; - for the input")
    parser.add_argument(
        "--forget-second-factor", action="store_true", help="for an administrator who has lost app and recovery codes"
    )
    parser.add_argument("--cooperative", default=settings.cooperative_name, help="the cooperative's name")
    parser.add_argument("--summary", default=settings.cooperative_summary)
    parser.add_argument("--locale", default=settings.locale, choices=["fr", "nl", "en"])
    parser.add_argument("--place", default=settings.cooperative_place, help="the town, as people call it")
    parser.add_argument("--latitude", type=float, default=settings.cooperative_latitude, help="WGS 84, degrees")
    parser.add_argument("--longitude", type=float, default=settings.cooperative_longitude, help="WGS 84, degrees")
    parser.add_argument("--contact-email", default=settings.cooperative_contact_email)
    return parser.parse_args(arguments)


def _read(options: argparse.Namespace, settings: IdentitySettings) -> Wanted:
    contact = options.contact_email
    profile = Profile(
        name=options.cooperative,
        summary=options.summary,
        locale=options.locale,
        time_zone=settings.time_zone,
        place_label=options.place,
        latitude=options.latitude,
        longitude=options.longitude,
        contact_email=email_address(contact, field="contact_email").text if contact else None,
    )
    address = email_address(options.email)
    password = _password_in(options.password_file)
    if password is not None:
        typed, password = password, check_password(password, context=[address.text, options.name, profile.name])
        if LeakedPasswords(settings.leaked_passwords).has(typed):
            raise leaked("password")
    return Wanted(
        profile=profile,
        address=address,
        name=options.name.strip(),
        password=password,
        without_second_factor=options.forget_second_factor,
    )


def _password_in(file: Path | None) -> str | None:
    if file is None:
        return None
    if str(file) == "-":
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except OSError as error:
        sys.exit(f"--password-file: {file} cannot be read ({error.strerror})")


async def _run(settings: IdentitySettings, wanted: Wanted) -> str:
    password_hash = await PasswordHashes().of(wanted.password) if wanted.password else None
    database = Database(settings.database_url("identity"), name="maillage administrator")
    try:
        async with database.transaction() as session:
            return await establish(
                session, wanted, password_hash, public_url=settings.public_url, now=datetime.now(UTC)
            )
    finally:
        await database.close()


async def establish(
    session: AsyncSession, wanted: Wanted, password_hash: str | None, *, public_url: str, now: datetime
) -> str:
    """Profile and administrator, as far as they are missing. Returns the line to print.

    Raises UnknownAdministrator where a second factor should be forgotten and is nobody's: a mistyped address makes no
    administrator.
    """
    query = sa.select(Member).where(member.c.email_key == wanted.address.key).with_for_update()
    person = (await session.execute(query)).scalar_one_or_none()
    if wanted.without_second_factor and (person is None or person.role != "administrator"):
        raise UnknownAdministrator(f"{wanted.address.text} is no administrator of {public_url}: nothing was changed")
    await cooperative.found(session, wanted.profile, web=public_url)
    if person is None:
        person = _new_administrator(wanted, now)
        session.add(person)
        await session.flush()
        await outbox.add(session, *person.state())
    elif person.role != "administrator":
        person.role_since = now
        await outbox.add(session, *person.take_over())
    person.password_hash = person.password_hash or password_hash
    if wanted.without_second_factor:
        await second_factor.remove(session, person)
    if person.password_hash is not None:
        return f"{person.email} is an administrator of {public_url}"
    return await credentials.link_for_first_password(session, person, public_url=public_url, now=now)


def _new_administrator(wanted: Wanted, now: datetime) -> Member:
    return Member(
        id=new_id(),
        name=wanted.name,
        email=wanted.address.text,
        email_key=wanted.address.key,
        password_hash=None,
        role="administrator",
        locale=wanted.profile.locale,
        joined_at=now,
    )
