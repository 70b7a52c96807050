"""Servers for one bench."""

from contextlib import ExitStack
from pathlib import Path

from deploy.local import folders
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbit
from tests.servers import Servers


def folder_of(stack: ExitStack, name: str) -> Path:
    """A folder for a server, removed with the stack."""
    folder = folders.throwaway(name)
    stack.callback(folders.remove, folder)
    return folder


def servers_of(postgres: LocalPostgres, rabbit: LocalRabbit) -> Servers:
    """Where they are, as tests know it."""
    return Servers(
        mode="local",
        postgres_host=postgres.host,
        postgres_port=postgres.port,
        admin_user=postgres.admin_user,
        admin_password=postgres.admin_password,
        amqp_host=rabbit.host,
        amqp_port=rabbit.amqp_port,
        management_url=rabbit.management_url,
        broker_admin_user=rabbit.admin_user,
        broker_admin_password=rabbit.admin_password,
    )
