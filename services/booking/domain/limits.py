"""What a person or a peer may not do (any more), as they are told: quotas, whom it is for, notice, capacity."""

from typing import Any, ClassVar

from services.chassis.durations import days, duration
from services.chassis.problems import Problem, Text


class QuotaReached(Problem):
    """A quota of the resource or of its category is used up. Carries `most`, what is `used`, `unit` and `per`."""

    status = 409
    slug = "booking/quota-reached"
    text = Text(
        fr="Au plus {most} {unit} ; déjà réservé : {used}. Choisissez une autre période.",
        en="At most {most} {unit}; already booked: {used}. Choose another period.",
        nl="Hoogstens {most} {unit}; al gereserveerd: {used}. Kies een andere periode.",
    )
    units: ClassVar[dict[tuple[str, str], Text]] = {
        ("bookings", "week"): Text(fr="réservations par semaine", en="bookings a week", nl="reserveringen per week"),
        ("bookings", "month"): Text(fr="réservations par mois", en="bookings a month", nl="reserveringen per maand"),
        ("hours", "week"): Text(fr="heures par semaine", en="hours a week", nl="uur per week"),
        ("hours", "month"): Text(fr="heures par mois", en="hours a month", nl="uur per maand"),
    }
    one: ClassVar[dict[tuple[str, str], Text]] = {
        ("bookings", "week"): Text(fr="réservation par semaine", en="booking a week", nl="reservering per week"),
        ("bookings", "month"): Text(fr="réservation par mois", en="booking a month", nl="reservering per maand"),
        ("hours", "week"): Text(fr="heure par semaine", en="hour a week", nl="uur per week"),
        ("hours", "month"): Text(fr="heure par mois", en="hour a month", nl="uur per maand"),
    }

    def words(self) -> dict[str, Any]:
        known = self.one if self.values["most"] == 1 else self.units
        used = f"{self.values['used']:g}"
        said = Text(fr=used.replace(".", ","), en=used, nl=used.replace(".", ","))
        return self.values | {"unit": known[self.values["unit"], self.values["per"]], "used": said}


class NotForYou(Problem):
    """The resource is for certain circles or roles only."""

    status = 403
    slug = "booking/not-for-you"
    text = Text(
        fr="Cette offre est réservée à certains cercles ou rôles : demandez à la personne qui la propose.",
        en="This offer is kept for certain circles or roles: ask the person who offers it.",
        nl="Dit aanbod is voorbehouden aan bepaalde kringen of rollen: vraag het aan de aanbieder.",
    )


class NotForPeers(Problem):
    """The resource is not for linked cooperatives."""

    status = 403
    slug = "booking/not-for-peers"
    text = Text(
        fr="Cette offre est réservée aux membres de sa coopérative.",
        en="This offer is kept for the members of its own cooperative.",
        nl="Dit aanbod is voorbehouden aan de leden van de eigen coöperatie.",
    )


class TooEarlyForPeers(Problem):
    """Own members first: a linked cooperative may ask only `days` days ahead, for this period from `opens` on."""

    status = 409
    slug = "booking/too-early-for-peers"
    text = Text(
        fr="Les coopératives liées peuvent réserver {time} à l'avance : pour ce jour, à partir du {opens}.",
        en="Linked cooperatives may book {time} ahead: for that day, from {opens} on.",
        nl="Verbonden coöperaties kunnen {time} vooraf reserveren: voor die dag vanaf {opens}.",
    )

    def words(self) -> dict[str, Any]:
        return self.values | {"time": days(self.values["days"])}


class NotInCircle(Problem):
    """Only members of a circle book on its behalf."""

    status = 403
    slug = "booking/not-in-circle"
    text = Text(
        fr="Vous ne faites pas partie de ce cercle.",
        en="You are not a member of this circle.",
        nl="U maakt geen deel uit van deze kring.",
    )


class NoticeIsOver(Problem):
    """Too late to cancel alone. Carries `minutes`: the notice."""

    status = 409
    slug = "booking/notice-is-over"
    text = Text(
        fr="Trop tard pour annuler en ligne (au moins {time} avant le début) : contactez la personne qui prête.",
        en="It had to be cancelled earlier ({time} before the start): contact the person who lends it.",
        nl="Annuleren moest eerder ({time} voor het begin): neem contact op met de uitlener.",
    )

    def words(self) -> dict[str, Any]:
        return self.values | {"time": duration(self.values["minutes"])}


class CannotChange(Problem):
    """The booking cannot be moved (any more), or not by this person."""

    status = 409
    slug = "booking/cannot-change"
    text = Text(
        fr="Cette réservation ne peut pas être déplacée : annulez-la et demandez une autre période.",
        en="This booking cannot be moved: cancel it and ask for another period.",
        nl="Deze reservering kan niet worden verplaatst: annuleer ze en vraag een andere periode.",
    )


class NoChangeAsked(Problem):
    """No change of this booking waits for an answer (any more)."""

    status = 409
    slug = "booking/no-change-asked"
    text = Text(
        fr="Aucun changement n'attend de réponse.",
        en="No change is waiting for an answer.",
        nl="Er wacht geen wijziging op antwoord.",
    )


class CapacityBelowBooked(Problem):
    """Capacity cannot be lowered below what is booked. Carries `in_the_way`: the ids of the bookings."""

    status = 409
    slug = "booking/capacity-below-booked"
    text = Text(
        fr="On ne peut pas descendre sous ce qui est déjà réservé : {peak} au plus haut.",
        en="It cannot go below what is booked already: {peak} at the highest.",
        nl="Het kan niet lager dan wat al gereserveerd is: {peak} op het hoogste punt.",
    )
