"""PostgreSQL's part of provisioning: roles, databases, extensions, rights. Idempotent; safe while services run.

Each service has a database, an owner role (owns the tables, used by migrations alone) and a runtime role (reads and
writes rows). The database itself belongs to the administrator, so that the owner role owns nothing outside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy import make_url

from services.chassis import migrations, names
from services.secrets_files import BROKER_AGENT

EXTENSIONS = ("btree_gist", "pg_trgm", "unaccent", "cube", "earthdistance")
EXTENSIONS_IF_THERE = ("vector",)

_GRANTED = (("TABLES", "SELECT, INSERT, UPDATE, DELETE"), ("SEQUENCES", "USAGE, SELECT"), ("FUNCTIONS", "EXECUTE"))


@dataclass(frozen=True)
class Rooms:
    """The names in PostgreSQL of one service of one instance."""

    instance: str
    service: str

    @property
    def database(self) -> str:
        return names.database(self.instance, self.service)

    @property
    def runtime(self) -> str:
        return names.database(self.instance, self.service)

    @property
    def owner(self) -> str:
        return names.owner_role(self.instance, self.service)

    @property
    def guests(self) -> list[str]:
        """Other roles that may connect: migrations grant them what they need."""
        return [agent_role(self.instance)] if self.service == "federation" else []


def agent_role(instance: str) -> str:
    """The role of the broker-agent, which connects to the federation's database alone."""
    return names.database(instance, BROKER_AGENT)


async def make_role(admin: asyncpg.Connection, name: str, password: str) -> None:
    """A role that can log in with `password` and nothing more."""
    exists = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    verb = "ALTER" if exists else "CREATE"
    await admin.execute(f"{verb} ROLE {_name(name)} {rights} PASSWORD {_literal(password)}")


async def make_database(admin: asyncpg.Connection, rooms: Rooms, *, template: str | None = None) -> bool:
    """Create the database (as a copy of `template`). Returns False when it was there."""
    if await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", rooms.database):
        return False
    copied = f" TEMPLATE {_name(template)}" if template else ""
    await admin.execute(f"CREATE DATABASE {_name(rooms.database)}{copied}")
    return True


async def restrict(admin_url: str, rooms: Rooms) -> None:
    """Extensions and rights inside the database; run again it changes nothing."""
    connection = await asyncpg.connect(in_database(admin_url, rooms.database))
    try:
        await connection.execute("SET client_min_messages = warning")
        await _make_extensions(connection)
        connecting = ", ".join(map(_name, [rooms.runtime, rooms.owner, *rooms.guests]))
        owner, runtime, database = _name(rooms.owner), _name(rooms.runtime), _name(rooms.database)
        await connection.execute(
            f"""
            REVOKE ALL ON DATABASE {database} FROM PUBLIC;
            GRANT CONNECT ON DATABASE {database} TO {connecting};
            ALTER DATABASE {database} SET timezone = 'UTC';
            ALTER SCHEMA public OWNER TO {owner};
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            GRANT USAGE ON SCHEMA public TO {connecting};
            """
        )
        for things, rights in _GRANTED:
            await connection.execute(
                f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT {rights} ON {things} TO {runtime}"
            )
    finally:
        await connection.close()


async def migrate(admin_url: str, rooms: Rooms, owner_password: str) -> None:
    """Run the service's migrations as the owner role."""
    url = make_url(admin_url).set(
        drivername="postgresql+asyncpg", username=rooms.owner, password=owner_password, database=rooms.database
    )
    await migrations.upgrade(rooms.service, url)


async def _make_extensions(connection: asyncpg.Connection) -> None:
    present = {row["extname"] for row in await connection.fetch("SELECT extname FROM pg_extension")}
    there = {row["name"] for row in await connection.fetch("SELECT name FROM pg_available_extensions")}
    optional = [name for name in EXTENSIONS_IF_THERE if name in there]
    for name in [*EXTENSIONS, *optional]:
        if name not in present:
            await connection.execute(f"CREATE EXTENSION IF NOT EXISTS {_name(name)} SCHEMA public")


async def take_over(admin_url: str, rooms: Rooms, template: Rooms) -> None:
    """After a copy of a migrated database: give the new instance's roles what the template's have, object by object."""
    roles = zip([template.runtime, *template.guests], [rooms.runtime, *rooms.guests], strict=True)
    connection = await asyncpg.connect(in_database(admin_url, rooms.database))
    try:
        await connection.execute(f"REASSIGN OWNED BY {_name(template.owner)} TO {_name(rooms.owner)}")
        for old, new in roles:
            for grant in await connection.fetch(_GRANTS_OF, old, new):
                await connection.execute(grant[0])
    finally:
        await connection.close()


_GRANTS_OF = """
SELECT format('GRANT %s ON %s TO %I', acl.privilege_type, c.oid::regclass, $2::text)
  FROM pg_class c, aclexplode(c.relacl) acl
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND acl.grantee = $1::text::regrole
UNION ALL
SELECT format('GRANT %s ON SEQUENCE %s TO %I', acl.privilege_type, c.oid::regclass, $2::text)
  FROM pg_class c, aclexplode(c.relacl) acl
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S' AND acl.grantee = $1::text::regrole
UNION ALL
SELECT format('GRANT %s (%I) ON %s TO %I', acl.privilege_type, a.attname, a.attrelid::regclass, $2::text)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, aclexplode(a.attacl) acl
 WHERE c.relnamespace = 'public'::regnamespace AND acl.grantee = $1::text::regrole
UNION ALL
SELECT format('GRANT EXECUTE ON FUNCTION %s TO %I', p.oid::regprocedure, $2::text)
  FROM pg_proc p, aclexplode(p.proacl) acl
 WHERE p.pronamespace = 'public'::regnamespace AND acl.grantee = $1::text::regrole
"""


async def remove(admin: asyncpg.Connection, instance: str, services: Sequence[str]) -> None:
    """Drop the databases and roles of `instance`, connections or not."""
    for service in services:
        rooms = Rooms(instance, service)
        await admin.execute(f"DROP DATABASE IF EXISTS {_name(rooms.database)} WITH (FORCE)")
        for role in (rooms.runtime, rooms.owner, *rooms.guests):
            await admin.execute(f"DROP ROLE IF EXISTS {_name(role)}")


def in_database(admin_url: str, database: str) -> str:
    """The administrator's address with another database."""
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{database}"))


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
