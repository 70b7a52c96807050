"""The connection by which the database wakes notify."""

import sqlalchemy as sa

from services.chassis.database import Database
from services.notify.listening import CHECK_SECONDS, Listening
from tests.instances import Instance
from tests.services.chassis.trial import running, until

END = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE application_name = 'notify listen' AND datname = current_database()
"""


async def test_a_lost_connection_is_made_anew_long_before_it_would_be_asked_whether_it_is_there(
    instance: Instance,
) -> None:
    db = Database(instance.settings().database_url("notify"))
    heard: list[str] = []

    async def has_heard(count: int) -> bool:
        return len(heard) >= count

    async with running(Listening(db.url, {"mails": heard.append})):
        await until(lambda: has_heard(1))
        async with db.transaction() as session:
            assert (await session.execute(sa.text(END))).scalar_one() == 1
        assert await until(lambda: has_heard(2), CHECK_SECONDS / 2)
    await db.close()
