"""What can go wrong when people arrive and leave, as the person is told."""

from typing import Any

from services.chassis.durations import duration
from services.chassis.problems import Problem, Text


class NoCheckIn(Problem):
    """Nobody checks in for this booking, or it is a peer's to do."""

    status = 409
    slug = "booking/no-check-in"
    text = Text(
        fr="Pour cette réservation, il n'y a pas d'arrivée à signaler ici.",
        en="There is no arrival to report here for this booking.",
        nl="Voor deze reservering hoeft hier geen aankomst gemeld te worden.",
    )


class TooEarly(Problem):
    """The time to arrive has not begun. Carries `minutes`: how long before the start it does."""

    status = 409
    slug = "booking/too-early-to-check-in"
    text = Text(
        fr="C'est encore trop tôt : l'arrivée se signale à partir de {time} avant le début.",
        en="It is still too early: arrivals can be reported from {time} before the start.",
        nl="Het is nog te vroeg: een aankomst meldt u vanaf {time} voor het begin.",
    )

    def words(self) -> dict[str, Any]:
        return self.values | {"time": duration(self.values["minutes"])}


class TooLateToArrive(Problem):
    """The grace is over: the place is, or is about to be, free for others."""

    status = 409
    slug = "booking/too-late-to-check-in"
    text = Text(
        fr="Le délai d'arrivée est passé : la place est de nouveau libre. Vous pouvez réserver de nouveau.",
        en="The time to arrive is over: the place is free again. You can book again.",
        nl="De tijd om aan te komen is voorbij: de plaats is weer vrij. U kunt opnieuw reserveren.",
    )


class AlreadyArrived(Problem):
    """Somebody has checked in already."""

    status = 409
    slug = "booking/already-checked-in"
    text = Text(
        fr="L'arrivée est déjà signalée.", en="The arrival has already been reported.", nl="De aankomst is al gemeld."
    )


class NotInUse(Problem):
    """The booking is not in a state to arrive or leave. Carries its `booking_status`."""

    status = 409
    slug = "booking/not-in-use"
    text = Text(
        fr="Cette réservation n'est pas en cours.",
        en="This booking is not in use.",
        nl="Deze reservering is niet in gebruik.",
    )


class WrongCode(Problem):
    """The code is not that of this booking."""

    status = 422
    slug = "booking/wrong-code"
    text = Text(
        fr="Ce n'est pas le code de cette réservation. Il est affiché sur place, ou chez la personne qui prête.",
        en="This is not the code of this booking. It is shown on the spot, or by the person who lends.",
        nl="Dit is niet de code van deze reservering. U vindt ze ter plaatse, of bij wie uitleent.",
    )


class TooManyCodes(Problem):
    """Too many wrong codes were tried; the code opens nothing any more."""

    status = 409
    slug = "booking/too-many-wrong-codes"
    text = Text(
        fr="Trop de codes erronés : la personne qui prête, ou l'équipe d'appui, doit signaler l'arrivée.",
        en="Too many wrong codes: the person who lends, or the support team, has to report the arrival.",
        nl="Te veel foute codes: wie uitleent, of het ondersteuningsteam, moet de aankomst melden.",
    )
