"""What can go wrong with a session, as the person is told."""

from services.chassis.problems import Problem, Text


class AlreadySignedUp(Problem):
    """This person has a seat in the session already, or waits for one."""

    status = 409
    slug = "booking/already-signed-up"
    text = Text(
        fr="Vous êtes déjà inscrit·e à cette séance. Quittez d'abord votre place pour en prendre une autre.",
        en="You have already signed up for this session. Leave your seat first to take another one.",
        nl="U bent al ingeschreven voor deze sessie. Verlaat eerst uw plaats om een andere te nemen.",
    )


class NotSignedUp(Problem):
    """This person has no seat in the session and does not wait for one."""

    status = 409
    slug = "booking/not-signed-up"
    text = Text(
        fr="Vous n'êtes pas inscrit·e à cette séance.",
        en="You have not signed up for this session.",
        nl="U bent niet ingeschreven voor deze sessie.",
    )


class NothingOffered(Problem):
    """There is no seat that waits for this person's answer: it never was, or the time to accept is over."""

    status = 409
    slug = "booking/nothing-offered"
    text = Text(
        fr="Aucune place ne vous est proposée en ce moment : le délai est passé, ou la place est déjà à vous.",
        en="No seat is offered to you at the moment: the time is over, or the seat is yours already.",
        nl="Er wordt u nu geen plaats aangeboden: de termijn is voorbij, of de plaats is al van u.",
    )


class SessionHasBegun(Problem):
    """The session has begun or is over: its seats no longer change."""

    status = 409
    slug = "booking/session-has-begun"
    text = Text(
        fr="La séance a déjà commencé : on ne peut plus rien y changer.",
        en="The session has already begun: nothing can be changed any more.",
        nl="De sessie is al begonnen: er kan niets meer worden gewijzigd.",
    )


class SessionIsCancelled(Problem):
    """The session was called off."""

    status = 409
    slug = "booking/session-is-cancelled"
    text = Text(fr="Cette séance est annulée.", en="This session is cancelled.", nl="Deze sessie is geannuleerd.")


class SeatsAreTaken(Problem):
    """A role would lose seats that somebody holds. Carries `role` (its label) and `seats` (how many are held)."""

    status = 409
    slug = "booking/seats-are-taken"
    text = Text(
        fr="« {role} » : {seats} places sont déjà prises ou proposées. On ne peut pas descendre en dessous.",
        en="“{role}”: {seats} seats are already taken or offered. There cannot be fewer.",
        nl="‘{role}’: {seats} plaatsen zijn al ingenomen of aangeboden. Minder kan niet.",
    )
