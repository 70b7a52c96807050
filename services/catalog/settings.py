"""What can be set about catalog."""

from pydantic import Field

from services.chassis.settings import ServiceSettings


class CatalogSettings(ServiceSettings):
    """`expiry_seconds`: how often ended listings are looked for; `import_poll_seconds`: how often waiting imports are."""

    expiry_seconds: float = Field(default=20, gt=0)
    import_poll_seconds: float = Field(default=0.5, gt=0)
