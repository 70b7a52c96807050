"""The cooperative's public profile."""

from dataclasses import dataclass

from contracts.envelope import Event
from contracts.identity import CooperativeChanged, CooperativeState, Locale, Place
from services.chassis.problems import NotFound, Text


class NoCooperativeYet(NotFound):
    """The instance was never set up."""

    slug = "identity/no-cooperative-yet"
    text = Text(
        fr="Cette coopérative n'est pas encore installée : lancez la commande « administrator ».",
        en="This cooperative is not set up yet: run the command `administrator`.",
        nl="Deze coöperatie is nog niet ingesteld: voer het commando 'administrator' uit.",
    )


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a cooperative says of itself. `time_zone` is an IANA name; the coordinates are WGS 84 degrees or None."""

    name: str
    summary: str
    locale: Locale
    time_zone: str
    place_label: str
    latitude: float | None
    longitude: float | None
    contact_email: str | None


@dataclass(eq=False, kw_only=True)
class Cooperative:
    """The one row of this instance (`only` is its key). `web` is where its pages are and follows the settings."""

    name: str
    summary: str
    locale: Locale
    time_zone: str
    place_label: str
    latitude: float | None
    longitude: float | None
    contact_email: str | None
    web: str
    version: int = 1
    only: bool = True

    def describe(self, profile: Profile, *, web: str) -> list[Event]:
        """Take another profile or address. Says nothing when nothing changed."""
        wanted = {**vars(profile), "web": web}
        if all(getattr(self, name) == value for name, value in wanted.items()):
            return []
        for name, value in wanted.items():
            setattr(self, name, value)
        self.version += 1
        return self.state()

    def profile(self) -> Profile:
        return Profile(**{name: getattr(self, name) for name in Profile.__dataclass_fields__})

    def state(self) -> list[Event]:
        """The event that says the whole profile."""
        place = Place(label=self.place_label, latitude=self.latitude, longitude=self.longitude)
        told = CooperativeState(
            name=self.name,
            summary=self.summary,
            locale=self.locale,
            time_zone=self.time_zone,
            place=place,
            web=self.web,
            contact_email=self.contact_email,
            version=self.version,
        )
        return [CooperativeChanged(cooperative=told)]
