"""The invented members of the two cooperatives of the demo."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Person:
    """A member: `key` names the person in the demo's own code."""

    key: str
    name: str
    email: str
    role: str = "member"
    locale: str = "fr"


@dataclass(frozen=True, kw_only=True)
class Cooperative:
    """A sample cooperative; the first person is its first administrator."""

    slug: str
    name: str
    summary: str
    town: str
    latitude: float
    longitude: float
    time_zone: str
    catalogue: str
    people: tuple[Person, ...]

    @property
    def administrator(self) -> Person:
        return self.people[0]


OPTEOS = Cooperative(
    slug="opteos",
    name="Optéos",
    summary="Coopérative d'activité et d'emploi de la métropole lilloise, gouvernée par cercles. Données d'exemple.",
    town="Lille",
    latitude=50.6372,
    longitude=3.0755,
    time_zone="Europe/Paris",
    catalogue="opteos.csv",
    people=(
        Person(key="claire", name="Claire Delattre", email="claire@opteos.example", role="administrator"),
        Person(key="marie", name="Marie Lefebvre", email="marie@opteos.example"),
        Person(key="karim", name="Karim Benali", email="karim@opteos.example"),
        Person(key="julie", name="Julie Vasseur", email="julie@opteos.example", role="coordinator"),
    ),
)

OPENFLOW = Cooperative(
    slug="openflow",
    name="OpenFlow",
    summary="Coopérative namuroise d'indépendants et de petites entreprises qui mettent en commun. Données d'exemple.",
    town="Namur",
    latitude=50.4669,
    longitude=4.8675,
    time_zone="Europe/Brussels",
    catalogue="openflow.csv",
    people=(
        Person(key="benoit", name="Benoît Lambert", email="benoit@openflow.example", role="administrator"),
        Person(key="paul", name="Paul Dumont", email="paul@openflow.example"),
        Person(key="sophie", name="Sophie Maes", email="sophie@openflow.example", locale="nl"),
    ),
)
