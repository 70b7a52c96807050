"""`python -m services skills FILE…`: skills and occupations of ESCO or ROME, from files of theirs.

Their names are synonyms for search, and what is called like one of them shows its code. A file that was imported before
is brought up to date by a newer one of its sort and language; the same file again changes nothing.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from services.chassis import logs
from services.chassis.database import Database
from services.chassis.settings import load
from services.matching.commands import skills
from services.matching.settings import MatchingSettings
from services.matching.skill_files import BadFile, SkillFile, recognise
from services.matching.words import CONFIGURATIONS


def main(arguments: list[str]) -> None:
    """Import the files, each whole or not at all. Ends with one line for what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m services skills", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="skills_fr.csv, unix_referentiel_….csv")
    parser.add_argument("--language", choices=list(CONFIGURATIONS), help="of ESCO's labels, where the name says none")
    options = parser.parse_args(arguments)
    try:
        files = [recognise(path, options.language) for path in options.files]
    except BadFile as error:
        sys.exit(str(error))
    settings = load(MatchingSettings)
    try:
        asyncio.run(_import(settings, files))
    except BadFile as error:
        sys.exit(f"{error}\nNothing of this file was kept.")
    except (OSError, SQLAlchemyError) as error:
        where = settings.database_url("matching").render_as_string(hide_password=True)
        sys.exit(f"database {where}: {logs.line_of(error)}")


async def _import(settings: MatchingSettings, files: list[SkillFile]) -> None:
    db = Database(settings.database_url("matching"), name="maillage skills")
    try:
        for file in files:
            await import_file(db, file)
    finally:
        await db.close()


async def import_file(db: Database, file: SkillFile) -> tuple[int, int]:
    """One file in one transaction, with progress on the terminal. Returns how many there are and how many went."""
    name = f"{file.path.name} ({file.layout.source}, {file.language})"

    def tell(done: int) -> None:
        sys.stdout.write(f"\r{name}: {done}")
        sys.stdout.flush()

    async with db.transaction() as session:
        kept, gone = await skills.keep(session, file, tell)
    sys.stdout.write(f"\r{name}: {kept} kept, {gone} that are no longer in it removed\n")
    return kept, gone
