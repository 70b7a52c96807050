"""What the compose files give the broker is what its configuration names."""

import re
from typing import Any

import pytest
import yaml

from deploy.local.folders import CHECKOUT
from services.federation import boxes

DEPLOY = CHECKOUT / "deploy"
CONFIGURATIONS = {
    "compose.border.yaml": "rabbitmq.border.conf",
    "compose.certificates.yaml": "rabbitmq.certificates.conf",
}


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def settings(name: str) -> dict[str, str]:
    lines = (DEPLOY / name).read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" = ", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)


@pytest.mark.parametrize("overlay", CONFIGURATIONS)
def test_the_broker_sees_every_file_that_its_configuration_names(overlay: str) -> None:
    broker, secrets = read(overlay)["services"]["rabbitmq"], read(overlay)["secrets"]
    named = {
        value.removeprefix("/run/secrets/") for value in settings(CONFIGURATIONS[overlay]).values() if "/" in value
    }
    assert named == set(broker["secrets"]) == set(secrets)
    mounted = [volume.partition(":")[0] for volume in broker["volumes"] if volume.startswith("./")]
    assert f"./{CONFIGURATIONS[overlay]}" in mounted
    assert all((DEPLOY / file).is_file() for file in mounted)


def test_the_port_that_peers_are_told_is_published_and_listened_on() -> None:
    environment = read("compose.yaml")["services"]["federation"]["environment"]
    (told,) = re.findall(r":-(\d+)}", environment["MAILLAGE_BORDER_PORT"])
    (published,) = read("compose.border.yaml")["services"]["rabbitmq"]["ports"]
    assert published.endswith(f":{told}")
    assert settings("rabbitmq.border.conf")["listeners.ssl.1"] == told


def test_the_broker_takes_what_crosses_and_nothing_much_larger() -> None:
    mounted = [volume.partition(":")[0] for volume in read("compose.yaml")["services"]["rabbitmq"]["volumes"]]
    assert "./rabbitmq.conf" in mounted
    assert boxes.LARGEST_BOX <= int(settings("rabbitmq.conf")["max_message_size"]) <= 2 * boxes.LARGEST_BOX


def test_certificates_are_demanded_where_peers_get_no_password() -> None:
    agent = read("compose.certificates.yaml")["services"]["broker-agent"]["environment"]
    demanded = settings("rabbitmq.certificates.conf")
    assert agent["MAILLAGE_BORDER_EXTERNAL"] == "true"
    assert demanded["ssl_options.verify"] == "verify_peer"
    assert demanded["ssl_options.fail_if_no_peer_cert"] == "true"
    assert demanded["auth_mechanisms.1"] == "EXTERNAL"
    plugins = (DEPLOY / "enabled_plugins.certificates").read_text(encoding="utf-8")
    assert "rabbitmq_auth_mechanism_ssl" in plugins
    for plugin in re.findall(r"\w+", (DEPLOY / "enabled_plugins").read_text(encoding="utf-8")):
        assert plugin in plugins
