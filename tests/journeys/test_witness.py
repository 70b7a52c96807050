"""A wait in vain tells what the cooperatives of the test have to say."""

import pytest

from deploy.demo.api import wait_for
from tests import witness
from tests.journeys.conftest import Region

pytestmark = pytest.mark.xdist_group("journeys")


def test_a_wait_in_vain_tells_how_the_links_stand(region: Region) -> None:
    with pytest.raises(TimeoutError) as failed:
        wait_for("what never comes", lambda: None, 0.1)
    witness.testify(failed.value, list(region.instances.values()))
    witness.testify(failed.value, list(region.instances.values()))
    said = str(failed.value)
    assert said.startswith("what never comes did not come within 0 s; they say: ")
    for town in (region.lille, region.namur):
        assert f"kind=direct peer_name={town.cooperative.name} status=active" in said
    assert "command=create done=True" in said
    assert said.count("; they say: ") == 1
    assert "\n" not in said
