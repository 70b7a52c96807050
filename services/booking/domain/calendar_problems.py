"""What can go wrong with calendars, as the member is told."""

from services.chassis.problems import Problem, Text


class TooManyFeeds(Problem):
    """A member has as many calendar addresses as anybody needs."""

    status = 409
    slug = "booking/too-many-feeds"
    text = Text(
        fr="Vous avez déjà {limit} adresses d'agenda. Supprimez-en une d'abord.",
        en="You already have {limit} calendar addresses. Delete one first.",
        nl="U hebt al {limit} agenda-adressen. Verwijder er eerst een.",
    )


class NotAPersonsTime(Problem):
    """Only somebody's own time can follow their calendar: expertise, training, help."""

    status = 409
    slug = "booking/not-a-persons-time"
    text = Text(
        fr="Seule une offre de votre propre temps (compétence, formation, coup de main) peut suivre votre agenda.",
        en="Only an offer of your own time (expertise, training, help) can follow your calendar.",
        nl="Alleen een aanbod van uw eigen tijd (expertise, opleiding, hulp) kan uw agenda volgen.",
    )


ADDRESS_REFUSED = Text(
    fr="Donnez l'adresse publique d'un agenda, qui commence par https:// (format iCalendar).",
    en="Give the public address of a calendar that begins with https:// (iCalendar format).",
    nl="Geef het openbare adres van een agenda dat met https:// begint (iCalendar-formaat).",
)

READING_ERRORS: dict[str, Text] = {
    "not_public": Text(
        fr="Cette adresse ne mène pas à un serveur public.",
        en="This address does not lead to a public server.",
        nl="Dit adres leidt niet naar een openbare server.",
    ),
    "unreachable": Text(
        fr="Le serveur de cet agenda ne répond pas. Nous réessayons plus tard.",
        en="The calendar's server does not answer. We will try again later.",
        nl="De server van deze agenda antwoordt niet. We proberen het later opnieuw.",
    ),
    "moved": Text(
        fr="Cette adresse renvoie vers une autre : donnez l'adresse finale.",
        en="This address leads on to another one: give that one.",
        nl="Dit adres verwijst door naar een ander: geef dat adres.",
    ),
    "refused": Text(
        fr="Le serveur refuse : l'adresse a peut-être changé ou n'est plus partagée.",
        en="The server refuses: the address may have changed or is no longer shared.",
        nl="De server weigert: het adres is misschien veranderd of wordt niet meer gedeeld.",
    ),
    "too_large": Text(
        fr="Cet agenda dépasse 2 Mio : partagez-en un plus petit.",
        en="This calendar is larger than 2 MiB: share a smaller one.",
        nl="Deze agenda is groter dan 2 MiB: deel een kleinere.",
    ),
    "unreadable": Text(
        fr="Ce n'est pas un agenda lisible (format iCalendar).",
        en="This is no readable calendar (iCalendar format).",
        nl="Dit is geen leesbare agenda (iCalendar-formaat).",
    ),
    "too_heavy": Text(
        fr="Cet agenda contient trop de répétitions pour être lu.",
        en="This calendar has too many repetitions to be read.",
        nl="Deze agenda bevat te veel herhalingen om te worden gelezen.",
    ),
    "forgotten": Text(
        fr="L'adresse n'est plus lisible ici : donnez-la à nouveau.",
        en="The address can no longer be read here: give it again.",
        nl="Het adres is hier niet meer leesbaar: geef het opnieuw.",
    ),
}
"""Why a member's calendar could not be read the last time, by code."""
