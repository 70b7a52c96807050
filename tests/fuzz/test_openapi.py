"""`make fuzz`: requests generated from each service's own OpenAPI never end in a server error.

`MAILLAGE_FUZZ_EXAMPLES` says how many for each operation (default 20).
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from deploy.demo.api import Member
from deploy.demo.people import OPTEOS
from deploy.demo.world import first_administrator
from services.chassis import names
from tests.instances import cooperatives
from tests.servers import Servers

EXAMPLES = int(os.environ.get("MAILLAGE_FUZZ_EXAMPLES", "20"))
PASSWORD = "sample-password-for-tests"
ENDS_OUR_SESSION = {("DELETE", "/api/identity/sessions/current")}
STREAMS = {("GET", "/api/notify/inbox/live")}

pytestmark = [pytest.mark.timeout(1800), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def administrator(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Member]:
    with cooperatives(servers, tmp_path_factory.mktemp("fuzz")) as make:
        instance = make("fuzz", MAILLAGE_LOG_LEVEL="warning")
        instance.start()
        instance.wait_ready()
        first_administrator(OPTEOS, instance, PASSWORD)
        member = Member(instance.url, email=OPTEOS.administrator.email, password=PASSWORD).sign_in()
        yield member
        member.http.close()


@pytest.mark.parametrize("service", names.SERVICES)
def test_no_generated_request_ends_in_a_server_error(service: str, administrator: Member) -> None:
    schema = schemathesis.openapi.from_url(f"{administrator.url}/api/{service}/openapi.json")
    tried = 0
    found: Any
    for found in schema.get_all_operations():
        operation: Any = found.ok()
        if (operation.method.upper(), operation.path) not in ENDS_OUR_SESSION | STREAMS:
            _throw_at(operation, administrator)
            tried += 1
    assert tried > 0


def _throw_at(operation: Any, member: Member) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        database=None,
    )
    @given(case=operation.as_strategy())
    def throw(case: Any) -> None:
        answer = case.call(headers=member.headers(), timeout=20)
        sent = f"{operation.method.upper()} {answer.request.url} {answer.request.body!r}"
        assert answer.status_code < 500, f"{sent}: {answer.status_code} {answer.text}"[:2000]

    throw()
