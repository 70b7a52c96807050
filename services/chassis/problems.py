"""Errors as people and programs read them: RFC 9457 problem details, in the reader's language."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Language = Literal["fr", "nl", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "nl", "en")


@dataclass(frozen=True, kw_only=True)
class Text:
    """The same sentence in each language; `{name}` is filled from the problem's values, which may be texts too."""

    fr: str
    en: str
    nl: str

    def say(self, language: Language, **values: Any) -> str:
        """The sentence in `language`, with `values` filled in."""
        sentence: str = getattr(self, language)
        said = {name: value.say(language) if isinstance(value, Text) else value for name, value in values.items()}
        return re.sub(r"\{(\w+)\}", lambda match: str(said.get(match[1], match[0])), sentence)


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: its name as in the request ("place.label"), a stable code, a sentence."""

    field: str
    code: str
    text: Text
    values: tuple[tuple[str, Any], ...] = ()

    def say(self, language: Language) -> dict[str, str]:
        return {"field": self.field, "code": self.code, "detail": self.text.say(language, **dict(self.values))}


class Problem(Exception):
    """Something that the caller should be told. Subclasses set `status`, `slug` (stable) and `text`.

    Keyword arguments fill the text and are members of the answer, so they must be JSON-ready and fit for the reader.
    """

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "bad-request"
    text: ClassVar[Text] = Text(
        fr="La demande n'est pas valable.", en="The request is not valid.", nl="De aanvraag is niet geldig."
    )

    passes: ClassVar[bool] = False
    """What a consumer waits for then ends by itself, and is bounded: its message comes again soon, uncounted."""

    def __init__(self, **values: Any) -> None:
        super().__init__(self.slug)
        self.values = values

    def words(self) -> dict[str, Any]:
        """What fills the text: the values, and in subclasses texts that are made of them."""
        return self.values

    def body(self, language: Language, instance: str) -> dict[str, Any]:
        """The problem document, told in `language`."""
        return {
            "type": f"urn:maillage:problem:{self.slug}",
            "title": type(self).__name__,
            "status": self.status,
            "detail": self.text.say(language, **self.words()),
            "instance": instance,
            **self.values,
        }


class InvalidFields(Problem):
    """One or more fields are wrong; nothing was changed."""

    status = 422
    slug = "invalid-fields"
    text = Text(
        fr="Certaines informations sont à corriger.",
        en="Some information needs correcting.",
        nl="Sommige gegevens moeten worden verbeterd.",
    )

    def __init__(self, *errors: FieldError) -> None:
        super().__init__()
        self.errors = errors

    def body(self, language: Language, instance: str) -> dict[str, Any]:
        return {**super().body(language, instance), "errors": [error.say(language) for error in self.errors]}


class NotFound(Problem):
    """There is no such thing, or not for this person."""

    status = 404
    slug = "not-found"
    text = Text(
        fr="Cette page ou cet élément n'existe pas, ou n'existe plus.",
        en="This page or item does not exist, or no longer does.",
        nl="Deze pagina of dit item bestaat niet of niet meer.",
    )


class NotSignedIn(Problem):
    """The request carries no valid token."""

    status = 401
    slug = "not-signed-in"
    text = Text(fr="Connectez-vous d'abord.", en="Please sign in first.", nl="Meld u eerst aan.")


class NotAllowed(Problem):
    """The person is known but may not do this."""

    status = 403
    slug = "not-allowed"
    text = Text(
        fr="Vous n'avez pas le droit de faire cela. L'équipe d'appui peut vous aider.",
        en="You may not do this. The support team can help you.",
        nl="U mag dit niet doen. Het ondersteuningsteam kan u helpen.",
    )


class TooLarge(Problem):
    """The body of the request has more than 8 MiB."""

    status = 413
    slug = "too-large"
    text = Text(
        fr="Cet envoi dépasse 8 Mio. Partagez-le en plusieurs parties.",
        en="This is more than 8 MiB. Split it into several parts.",
        nl="Dit is meer dan 8 MiB. Splits het in meerdere delen.",
    )


class Unavailable(Problem):
    """A part that this request needs does not answer."""

    status = 503
    slug = "unavailable"
    text = Text(
        fr="Le service ne répond pas pour l'instant. Rien n'est perdu : réessayez dans un moment.",
        en="The service does not answer at the moment. Nothing is lost: try again shortly.",
        nl="De dienst antwoordt momenteel niet. Er is niets verloren: probeer het straks opnieuw.",
    )


class TooManyEventsWait(Problem):
    """More events wait to leave than the outbox may hold; nothing was changed."""

    status = 503
    slug = "too-many-events-wait"
    text = Text(
        fr="Trop de messages attendent de partir. Rien n'a été changé : réessayez dans quelques minutes.",
        en="Too many messages wait to leave. Nothing was changed: try again in a few minutes.",
        nl="Te veel berichten wachten op vertrek. Er is niets gewijzigd: probeer het over enkele minuten opnieuw.",
    )


class NothingOfItsOwn(Problem):
    """A hub shows what its members share: nobody publishes, books or asks there."""

    status = 403
    slug = "hub/nothing-of-its-own"
    text = Text(
        fr="Ce site est un hub : il montre ce que ses coopératives partagent et n'a rien à lui. Passez par la vôtre.",
        en="This site is a hub: it shows what its cooperatives share and has nothing of its own. Go by yours.",
        nl="Deze site is een hub: ze toont wat haar coöperaties delen en heeft zelf niets. Ga langs bij de uwe.",
    )


class Accident(Problem):
    """Something went wrong on our side that nobody foresaw; the correlation id finds it in the logs."""

    status = 500
    slug = "accident"
    text = Text(
        fr="Quelque chose a échoué de notre côté. Si cela se répète, donnez le numéro de suivi à l'équipe d'appui.",
        en="Something failed on our side. If it happens again, give the tracking number to the support team.",
        nl="Er ging iets mis aan onze kant. Gebeurt het opnieuw, geef dan het volgnummer aan het ondersteuningsteam.",
    )


class UnusableValue(Problem):
    """A value has characters or a size that cannot be stored; nothing was changed."""

    status = 422
    slug = "unusable-value"
    text = Text(
        fr="Une des valeurs contient des caractères ou un nombre qui ne peuvent pas être enregistrés.",
        en="One of the values holds characters or a number that cannot be stored.",
        nl="Een van de waarden bevat tekens of een getal die niet kunnen worden opgeslagen.",
    )


def language_of(accept_language: str | None, default: Language = "fr") -> Language:
    """The first language of an Accept-Language header that we speak (RFC 9110, weights honoured)."""
    wanted: list[tuple[float, int, Language]] = []
    for position, part in enumerate((accept_language or "").split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        spoken: list[Language] = [
            language for language in LANGUAGES if tag.lower().split("-")[0] == language and quality > 0
        ]
        wanted.extend((-quality, position, language) for language in spoken)
    return min(wanted)[2] if wanted else default
