"""Settings of services that run in one process come from one environment."""

from pathlib import Path

import pytest

from services.booking.settings import BookingSettings
from services.catalog.settings import CatalogSettings
from services.chassis.settings import MissingSetting, ServiceSettings, load
from services.federation.settings import FederationSettings
from services.identity.settings import IdentitySettings
from services.matching.settings import MatchingSettings
from services.notify.settings import NotifySettings
from services.portal.settings import PortalSettings

KINDS = (
    BookingSettings,
    CatalogSettings,
    FederationSettings,
    IdentitySettings,
    MatchingSettings,
    NotifySettings,
    PortalSettings,
)


def test_no_two_services_mean_different_things_by_one_variable() -> None:
    own = [name for kind in KINDS for name in kind.model_fields if name not in ServiceSettings.model_fields]
    assert sorted(own) == sorted(set(own))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_zone", "Europe/Nowhere"),
        ("time_zone", "../etc/passwd"),
        ("public_url", "maillage.example"),
        ("public_url", "https://maillage.example/pages"),
        ("service_url", "http://127.0.0.1:8000/api/{name}"),
        ("service_url", "http://127.0.0.1:8000/api"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_a_line_that_names_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAILLAGE_INSTANCE", "lille")
    monkeypatch.setenv("MAILLAGE_SECRETS_DIR", str(tmp_path))
    variable = f"MAILLAGE_{name.upper()}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(MissingSetting) as ended:
        load(ServiceSettings)
    assert str(ended.value).startswith(f"{variable}: ")
    assert "\n" not in str(ended.value)


def test_a_slash_at_the_end_of_the_address_does_no_harm(tmp_path: Path) -> None:
    settings = ServiceSettings(instance="lille", secrets_dir=tmp_path, public_url="https://maillage.example/")
    assert settings.public_url == "https://maillage.example"
