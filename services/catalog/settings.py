"""What can be set about catalog."""

from pydantic import Field

from services.chassis.settings import ServiceSettings


class CatalogSettings(ServiceSettings):
    """`expiry_seconds`: pause between two looks for ended listings. `import_poll_seconds`: for imports to run."""

    expiry_seconds: float = Field(default=20, gt=0)
    import_poll_seconds: float = Field(default=0.5, gt=0)
