"""The words for codes of the rules of booking: holidays, prices, limits."""

from services.portal.language import N_

HOLIDAYS: dict[str, str] = {
    "FR": N_("oui, ceux de France"),
    "FR-57": N_("oui, ceux d'Alsace-Moselle"),
    "BE": N_("oui, ceux de Belgique"),
    "NL": N_("oui, ceux des Pays-Bas"),
}
HOLIDAY_PLACES: dict[str, str] = {
    "FR": N_("France"),
    "FR-57": N_("Alsace-Moselle"),
    "BE": N_("Belgique"),
    "NL": N_("Pays-Bas"),
}
PRICES: dict[str, str] = {
    "free": N_("gratuit"),
    "fixed": N_("par utilisation"),
    "hourly": N_("par heure"),
    "time": N_("en heures d'échange"),
}
QUOTA_UNITS: dict[str, str] = {"bookings": N_("réservations"), "hours": N_("heures")}
QUOTA_PERIODS: dict[str, str] = {"week": N_("par semaine"), "month": N_("par mois")}
QUOTA_SCOPES: dict[str, str] = {
    "member": N_("par membre"),
    "circle": N_("par cercle"),
    "peer": N_("par coopérative liée"),
}
