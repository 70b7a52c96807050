"""What can go wrong with a booking, as the person is told."""

from services.chassis.problems import Problem, Text


class OfferUnknown(Problem):
    """The offer does not exist, is not visible to this person, or has not reached booking yet."""

    status = 404
    slug = "booking/offer-unknown"
    text = Text(
        fr="Cette offre n'existe pas ou ne vous est pas ouverte. Toute nouvelle ? Réessayez dans un instant.",
        en="This offer does not exist or is not visible to you. If it has just been published, try again in a moment.",
        nl="Dit aanbod bestaat niet of is niet zichtbaar voor u. Net gepubliceerd? Probeer het zo dadelijk opnieuw.",
    )


class NotBookable(Problem):
    """The offer is there, but nobody said how it can be booked."""

    status = 404
    slug = "booking/not-bookable"
    text = Text(
        fr="Cette offre ne se réserve pas en ligne.",
        en="This offer cannot be booked online.",
        nl="Dit aanbod kan niet online worden gereserveerd.",
    )


class ResourceIsTaken(Problem):
    """Somebody else has (part of) the period. Carries `alternatives`: the nearest free periods of the same length."""

    status = 409
    slug = "booking/resource-is-taken"
    text = Text(
        fr="Cette période n'est plus libre.", en="This period is no longer free.", nl="Deze periode is niet meer vrij."
    )


class ResourceIsClosed(Problem):
    """No new bookings are taken."""

    status = 409
    slug = "booking/resource-is-closed"
    text = Text(
        fr="Cette offre ne prend plus de nouvelles réservations.",
        en="This offer takes no new bookings.",
        nl="Dit aanbod neemt geen nieuwe reserveringen meer aan.",
    )


class RulesChangedMeanwhile(Problem):
    """The rules of the resource changed while the request was being answered; nothing was booked."""

    status = 409
    slug = "booking/rules-changed-meanwhile"
    text = Text(
        fr="Les règles de réservation viennent de changer. Vérifiez la période et réessayez.",
        en="The booking rules have just changed. Check the period and try again.",
        nl="De reserveringsregels zijn net gewijzigd. Controleer de periode en probeer opnieuw.",
    )


class Recovering(Problem):
    """This instance was restored from a backup and waits for its peers: they may hand back bookings that it forgot.

    What peers ask meanwhile waits for half an hour at most (`awaiting.RECOVERY_IS_AWAITED`), and is answered within
    seconds of the end: counted attempts would come back after two minutes, then ten.
    """

    passes = True
    status = 409
    slug = "booking/recovering"
    text = Text(
        fr="Nous revenons d'une sauvegarde et vérifions avec les coopératives liées. Réessayez dans quelques minutes.",
        en="We come back from a backup and are checking with the linked cooperatives. Try again in some minutes.",
        nl="We keren terug uit een back-up en controleren met de gekoppelde coöperaties. Probeer over enkele minuten.",
    )


class TooManyPending(Problem):
    """Rule 8: too many requests of this person (or peer) wait for a decision."""

    status = 409
    slug = "booking/too-many-pending"
    text = Text(
        fr="{limit} demandes attendent déjà une réponse. Attendez une réponse ou retirez une demande.",
        en="{limit} requests are already waiting for an answer. Wait for one, or withdraw a request.",
        nl="Er wachten al {limit} aanvragen op antwoord. Wacht een antwoord af of trek een aanvraag in.",
    )


class NotYourDecision(Problem):
    """This person may not decide on this booking (rule 9)."""

    status = 403
    slug = "booking/not-your-decision"
    text = Text(
        fr="Cette décision revient à quelqu'un d'autre : on ne décide jamais de sa propre demande.",
        en="This is for somebody else to decide: nobody decides on their own request.",
        nl="Iemand anders moet hierover beslissen: niemand beslist over de eigen aanvraag.",
    )


class AlreadyDecided(Problem):
    """The booking does not wait for a decision (any more). Carries its `booking_status`."""

    status = 409
    slug = "booking/already-decided"
    text = Text(
        fr="Cette demande n'attend plus de décision.",
        en="This request no longer waits for a decision.",
        nl="Deze aanvraag wacht niet meer op een beslissing.",
    )


class TooLate(Problem):
    """The time to decide is over (`decide_by`)."""

    status = 409
    slug = "booking/too-late-to-decide"
    text = Text(
        fr="Le délai de réponse est passé : cette demande a expiré.",
        en="The time to answer is over: this request has expired.",
        nl="De antwoordtermijn is voorbij: deze aanvraag is verlopen.",
    )


class CannotCancel(Problem):
    """The booking has ended already, or is not this person's to cancel."""

    status = 409
    slug = "booking/cannot-cancel"
    text = Text(
        fr="Cette réservation ne peut plus être annulée.",
        en="This booking can no longer be cancelled.",
        nl="Deze reservering kan niet meer worden geannuleerd.",
    )


class NoLongerShared(Problem):
    """The offer is no longer visible to the person who asked for it."""

    status = 409
    slug = "booking/no-longer-shared"
    text = Text(
        fr="Cette offre n'est plus ouverte à la personne qui l'a demandée.",
        en="This offer is no longer open to the person who asked for it.",
        nl="Dit aanbod staat niet meer open voor de persoon die het heeft aangevraagd.",
    )


class LinkNotOpen(Problem):
    """There is no open link with the cooperative that owns the resource."""

    status = 409
    slug = "booking/link-not-open"
    text = Text(
        fr="Le lien avec cette coopérative n'est pas ouvert.",
        en="The link with this cooperative is not open.",
        nl="De verbinding met deze coöperatie is niet open.",
    )
