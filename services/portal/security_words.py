"""The words for access to one's account and for the trail of acts. French source texts, marked for the catalogues."""

from services.portal.language import N_

FLASHES: dict[str, str] = {
    "others-signed-out": N_("Les autres appareils sont déconnectés."),
    "session-ended": N_("Cet appareil est déconnecté."),
    "token-revoked": N_("Le jeton est supprimé."),
}
SCOPES: dict[str, str] = {
    "catalog:read": N_("lire les offres et les demandes"),
    "catalog:write": N_("publier, changer et retirer mes offres et mes demandes"),
    "booking:read": N_("lire mes réservations, les séances et les disponibilités"),
    "booking:write": N_("réserver, répondre et annuler en mon nom"),
    "matching:read": N_("chercher, et voir les mises en relation"),
    "notify:read": N_("lire mes messages"),
    "notify:write": N_("marquer mes messages comme lus et régler mes courriels"),
    "identity:read": N_("voir les membres et les cercles"),
    "federation:read": N_("voir les coopératives liées"),
}
SCOPES_OF_A_ROLE: dict[str, str] = {
    "federation:write": N_("gérer les liens avec d'autres coopératives"),
    "coordination": N_("agir avec mon rôle dans l'équipe d'appui, et pas seulement comme membre"),
}
DAYS: dict[str, str] = {"30": N_("un mois"), "90": N_("trois mois"), "365": N_("un an")}
AREAS: dict[str, str] = {
    "identity": N_("membres et cercles"),
    "catalog": N_("offres et demandes"),
    "booking": N_("réservations et séances"),
    "matching": N_("recherche et mises en relation"),
    "federation": N_("coopératives liées"),
}
ACTS: dict[str, str] = {
    "identity PATCH /members/{member_id}": N_("a donné un rôle"),
    "identity POST /members/{member_id}/leave": N_("a enregistré un départ"),
    "identity POST /invitations": N_("a envoyé une invitation"),
    "identity DELETE /invitations/{invitation_id}": N_("a retiré une invitation"),
    "identity PUT /cooperative": N_("a changé le profil de la coopérative"),
    "identity POST /circles": N_("a créé un cercle"),
    "identity PATCH /circles/{circle_id}": N_("a changé un cercle"),
    "identity PUT /circles/{circle_id}/members/{member_id}": N_("a ajouté quelqu'un à un cercle"),
    "identity DELETE /circles/{circle_id}/members/{member_id}": N_("a retiré quelqu'un d'un cercle"),
    "identity POST /circles/{circle_id}/close": N_("a fermé un cercle"),
    "catalog POST /listings": N_("a publié une offre ou une demande"),
    "catalog PUT /listings/{listing_id}": N_("a changé une offre ou une demande"),
    "catalog POST /listings/{listing_id}/withdraw": N_("a retiré une offre ou une demande"),
    "catalog POST /imports/check": N_("a fait vérifier un tableau"),
    "catalog POST /imports/{import_id}/run": N_("a importé un tableau"),
    "booking PUT /resources/{offer_id}": N_("a changé des règles de réservation"),
    "booking POST /resources/{offer_id}/close": N_("a fermé une offre à la réservation"),
    "booking POST /resources/{offer_id}/settle": N_("a réglé des réservations à venir"),
    "booking PUT /quotas": N_("a changé des limites par catégorie"),
    "booking POST /bookings": N_("a réservé"),
    "booking POST /holds": N_("a retenu une période"),
    "booking DELETE /holds/{hold_id}": N_("a rendu une période retenue"),
    "booking POST /bookings/{booking_id}/approve": N_("a accepté une demande"),
    "booking POST /bookings/{booking_id}/decline": N_("a refusé une demande"),
    "booking POST /bookings/{booking_id}/cancel": N_("a annulé une réservation"),
    "booking PUT /bookings/{booking_id}/change": N_("a demandé de changer une réservation"),
    "booking POST /bookings/{booking_id}/change/accept": N_("a accepté un changement"),
    "booking POST /bookings/{booking_id}/change/refuse": N_("a refusé un changement"),
    "booking POST /bookings/{booking_id}/check-in": N_("a noté une arrivée"),
    "booking POST /bookings/{booking_id}/check-out": N_("a noté un retour"),
    "booking POST /bookings/series": N_("a réservé une série"),
    "booking POST /sessions": N_("a prévu une séance"),
    "booking PUT /sessions/{session_id}": N_("a changé une séance"),
    "booking POST /sessions/{session_id}/move": N_("a déplacé une séance"),
    "booking POST /sessions/{session_id}/cancel": N_("a annulé une séance"),
    "matching POST /weights/{weights_id}/accept": N_("a accepté des poids pour les mises en relation"),
    "matching POST /weights/{weights_id}/decline": N_("a refusé des poids pour les mises en relation"),
    "federation POST /invitations": N_("a invité une coopérative"),
    "federation DELETE /invitations/{invitation_id}": N_("a retiré l'invitation d'une coopérative"),
    "federation POST /links": N_("a accepté l'invitation d'une coopérative"),
    "federation POST /links/{link_id}/confirm": N_("a confirmé un lien"),
    "federation POST /links/{link_id}/pause": N_("a mis un lien en pause"),
    "federation POST /links/{link_id}/resume": N_("a repris un lien"),
    "federation POST /links/{link_id}/end": N_("a mis fin à un lien"),
}
