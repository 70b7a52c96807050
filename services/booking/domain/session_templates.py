"""Sensible beginnings: what a session of each kind is made of unless its organiser says otherwise."""

from dataclasses import dataclass

from contracts.booking import SessionTemplate
from services.booking.domain.planned_session import Extra, Role, Step
from services.chassis.problems import Language, Text

_NOTHING = Text(fr="", en="", nl="")


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """The defaults of a template. `organiser_role`: the seat that the organiser takes; `minutes`: how long it lasts."""

    template: SessionTemplate
    minutes: int
    roles: tuple[tuple[str, Text, int, int], ...]
    steps: tuple[tuple[Text, int], ...] = ()
    extras: tuple[tuple[Extra, Text], ...] = ()
    confidentiality: Text = _NOTHING
    private: bool = False
    rotating_role: str | None = None
    organiser_role: str | None = None

    def roles_in(self, language: Language) -> list[Role]:
        return [
            Role(code=code, label=label.say(language), minimum=minimum, maximum=maximum)
            for code, label, minimum, maximum in self.roles
        ]

    def steps_in(self, language: Language) -> list[Step]:
        return [Step(title=title.say(language), minutes=minutes) for title, minutes in self.steps]

    def extras_in(self, language: Language) -> list[Extra]:
        return [
            Extra(code=extra.code, label=label.say(language), kind=extra.kind, maximum=extra.maximum)
            for extra, label in self.extras
        ]


# The six steps: Payette and Champagne, "Le groupe de codéveloppement professionnel" (1997), for two hours.
_CO_DEVELOPMENT = Beginning(
    template="co_development",
    minutes=120,
    roles=(
        ("client", Text(fr="Client·e", en="Client", nl="Inbrenger"), 1, 1),
        ("consultant", Text(fr="Consultant·e", en="Consultant", nl="Consultant"), 4, 8),
        ("facilitator", Text(fr="Animation", en="Facilitator", nl="Begeleider"), 1, 1),
    ),
    steps=(
        (Text(fr="Exposé de la situation", en="The client sets out the situation", nl="De situatie schetsen"), 15),
        (Text(fr="Clarification", en="Clarifying", nl="Verduidelijken"), 20),
        (Text(fr="Contrat : ce que le groupe cherche", en="Contract: what is sought", nl="Contract: de vraag"), 10),
        (Text(fr="Consultation", en="Consultation", nl="Consultatie"), 45),
        (Text(fr="Synthèse et plan d'action", en="Summary and plan", nl="Samenvatting en actieplan"), 15),
        (Text(fr="Apprentissages de chacun·e", en="What each of us learned", nl="Wat ieder leerde"), 15),
    ),
    confidentiality=Text(
        fr="Ce qui se dit en séance reste en séance. Chacun·e peut raconter ce qu'il ou elle a appris, jamais ce que "
        "les autres ont confié.",
        en="What is said in the session stays there. You may tell what you have learned, never what others confided.",
        nl="Wat in de sessie wordt gezegd, blijft daar. Vertel wat u leerde, nooit wat anderen toevertrouwden.",
    ),
    rotating_role="client",
    organiser_role="facilitator",
)
_PEER_MENTORING = Beginning(
    template="peer_mentoring",
    minutes=60,
    roles=(
        ("mentor", Text(fr="Parrain ou marraine", en="Mentor", nl="Mentor"), 1, 1),
        ("mentee", Text(fr="Filleul·e", en="Mentee", nl="Mentee"), 1, 1),
    ),
    confidentiality=Text(
        fr="Ce que vous vous dites reste entre vous.",
        en="What you tell each other stays between you.",
        nl="Wat u elkaar vertelt, blijft onder u.",
    ),
    private=True,
    organiser_role="mentor",
)
_MONTHLY_DAY = Beginning(
    template="monthly_day",
    minutes=480,
    roles=(("participant", Text(fr="Participant·e", en="Participant", nl="Deelnemer"), 0, 60),),
    extras=(
        (Extra(code="meal", label="", kind="yes_no"), Text(fr="Je mange sur place", en="I eat there", nl="Ik eet mee")),
        (
            Extra(code="carpool", label="", kind="number", maximum=8),
            Text(fr="Places que j'offre en covoiturage", en="Seats free in my car", nl="Vrije plaatsen in mijn auto"),
        ),
        (
            Extra(code="children", label="", kind="number", maximum=10),
            Text(fr="Enfants pour le coin des enfants", en="Children to look after", nl="Kinderen voor de kinderhoek"),
        ),
    ),
)
_OPEN = Beginning(
    template="open",
    minutes=120,
    roles=(("participant", Text(fr="Participant·e", en="Participant", nl="Deelnemer"), 1, 12),),
)

BEGINNINGS: dict[SessionTemplate, Beginning] = {
    one.template: one for one in (_CO_DEVELOPMENT, _PEER_MENTORING, _MONTHLY_DAY, _OPEN)
}
