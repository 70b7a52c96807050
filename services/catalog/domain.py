"""The rules of offers and needs."""

from datetime import datetime
from uuid import UUID

from services.catalog.forms import ListingForm
from services.chassis.problems import FieldError, InvalidFields, Problem, Text


class ChangedMeanwhile(Problem):
    """Somebody else changed the listing after it was read. `version` is the newest."""

    status = 409
    slug = "catalog/changed-meanwhile"
    text = Text(
        fr="Cette annonce a été modifiée entre-temps. Relisez-la avant de la changer.",
        en="This listing was changed in the meantime. Read it again before you change it.",
        nl="Dit bericht werd intussen gewijzigd. Lees het opnieuw voor u het aanpast.",
    )


class ListingGone(Problem):
    """The listing was withdrawn or has expired."""

    status = 410
    slug = "catalog/listing-gone"
    text = Text(
        fr="Cette annonce a été retirée ou n'est plus valable.",
        en="This listing was withdrawn or is no longer valid.",
        nl="Dit bericht werd ingetrokken of is niet meer geldig.",
    )


class OwnerHasLeft(Problem):
    """The person who answers for the listing is no longer a member, so it cannot stand again."""

    status = 409
    slug = "catalog/owner-has-left"
    text = Text(
        fr="La personne qui proposait cette annonce a quitté la coopérative : elle ne peut plus être publiée.",
        en="The person behind this listing has left the cooperative: it cannot be published any more.",
        nl="De persoon achter dit bericht heeft de coöperatie verlaten: het kan niet meer gepubliceerd worden.",
    )


ENDS_BEFORE_IT_STARTS = Text(
    fr="La fin doit venir après le début.",
    en="The end must come after the start.",
    nl="Het einde moet na het begin komen.",
)
ALREADY_OVER = Text(fr="Cette date est déjà passée.", en="This date is already past.", nl="Deze datum is al voorbij.")
SIDE_STAYS = Text(
    fr="Une offre ne devient pas un besoin, ni l'inverse : publiez une nouvelle annonce.",
    en="An offer does not become a need, nor the reverse: publish a new listing.",
    nl="Een aanbod wordt geen vraag en omgekeerd: plaats een nieuw bericht.",
)
CHOOSE_A_CIRCLE = Text(
    fr="Choisissez au moins un cercle.", en="Choose at least one circle.", nl="Kies minstens één kring."
)
NOT_YOUR_CIRCLE = Text(
    fr="Vous ne faites pas partie de ce cercle, ou il n'existe plus.",
    en="You are not in this circle, or it no longer exists.",
    nl="U maakt geen deel uit van deze kring, of ze bestaat niet meer.",
)


def field_problems(form: ListingForm, *, now: datetime) -> list[FieldError]:
    """What is wrong between the fields of `form`, at `now` (UTC)."""
    found: list[FieldError] = []
    if form.valid_from and form.valid_until and form.valid_until <= form.valid_from:
        found.append(FieldError("valid_until", "ends_before_it_starts", ENDS_BEFORE_IT_STARTS))
    elif form.valid_until and form.valid_until <= now:
        found.append(FieldError("valid_until", "already_over", ALREADY_OVER))
    if form.window_start and form.window_end and form.window_end <= form.window_start:
        found.append(FieldError("window_end", "ends_before_it_starts", ENDS_BEFORE_IT_STARTS))
    if form.audience.scope == "circle" and not form.audience.circle_ids:
        found.append(FieldError("audience.circle_ids", "missing", CHOOSE_A_CIRCLE))
    return found


def check_form(form: ListingForm, *, circles: set[UUID], now: datetime, kept: set[UUID] | None = None) -> None:
    """Raises InvalidFields. `circles`: those that the author may publish in and for; `kept`: those named before."""
    found = field_problems(form, now=now)
    allowed = circles | (kept or set())
    if form.circle_id is not None and form.circle_id not in allowed:
        found.append(FieldError("circle_id", "not_your_circle", NOT_YOUR_CIRCLE))
    if form.audience.scope == "circle" and not allowed.issuperset(form.audience.circle_ids):
        found.append(FieldError("audience.circle_ids", "not_your_circle", NOT_YOUR_CIRCLE))
    if found:
        raise InvalidFields(*found)


def may_edit(
    *, actor_id: UUID, is_coordinator: bool, circles: set[UUID], owner_id: UUID, circle_id: UUID | None
) -> bool:
    """The owner, everyone in the owning circle, and coordinators. `circles`: those of the actor."""
    return is_coordinator or actor_id == owner_id or (circle_id is not None and circle_id in circles)
