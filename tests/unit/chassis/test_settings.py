"""Settings of services that run in one process come from one environment."""

from services.booking.settings import BookingSettings
from services.catalog.settings import CatalogSettings
from services.chassis.settings import ServiceSettings
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
