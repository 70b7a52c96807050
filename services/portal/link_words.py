"""The words for links with other cooperatives: states, what is stuck, why something was refused."""

from services.portal.language import N_

TROUBLES: dict[str, str] = {
    "broker_refuses": N_("notre serveur de messages refuse la connexion"),
    "peer_does_not_answer": N_("l'autre coopérative ne répond pas"),
    "peer_broker_does_not_answer": N_("le serveur de messages de l'autre coopérative ne répond pas"),
    "messages_missing": N_("des messages manquent, ils sont redemandés"),
    "recovering": N_("nous revenons d'une sauvegarde et attendons sa réponse"),
    "held": N_("elle envoie plus que prévu : nous la relirons dans l'heure"),
    "peer_silent": N_("sans nouvelles depuis plus de trois heures"),
    "ended_by_us": N_("terminé par nous"),
    "ended_by_peer": N_("terminé par l'autre coopérative"),
    "left_hub": N_("elle a quitté le hub"),
    "hub_left": N_("nous avons quitté le hub"),
}
REFUSALS: dict[str, str] = {
    "too_large": N_("message trop gros"),
    "unreadable": N_("message illisible"),
    "forged": N_("signature fausse : quelqu'un se fait peut-être passer pour une autre coopérative"),
    "key_revoked": N_("signé avec une clé qui ne vaut plus"),
    "unknown_key": N_("signé avec une clé inconnue"),
    "wrong_source": N_("signé par une autre coopérative"),
    "wrong_audience": N_("destiné à quelqu'un d'autre"),
    "wrong_stream": N_("venu par un autre lien"),
    "old_epoch": N_("d'avant un nouveau départ"),
    "gone_before": N_("une offre qu'elle avait déjà retirée"),
    "unknown_type": N_("un genre de message que nous ne connaissons pas"),
    "malformed": N_("contenu mal formé"),
    "not_theirs": N_("à propos d'une chose qui n'est pas la sienne"),
    "expired": N_("arrivé trop tard"),
    "not_applied": N_("refusé par notre base de données"),
    "not_a_member": N_("d'une coopérative qui n'est pas membre du hub"),
    "too_much": N_("trop de messages en une heure : ils seront redits plus tard"),
    "another_key": N_("le hub montre une autre clé que celle que nous connaissons"),
}
LINK_STATES: dict[str, tuple[str, str]] = {
    "awaiting_confirmation": (N_("en attente de l'autre coopérative"), "wait"),
    "to_confirm": (N_("à confirmer ici"), "wait"),
    "opening": (N_("se met en place"), "wait"),
    "active": (N_("liée"), "good"),
    "paused": (N_("en pause"), "wait"),
    "ended": (N_("terminée"), "off"),
}
MEMBER_STATES: dict[str, tuple[str, str]] = {
    "open": (N_("pas encore liée"), "off"),
    "asked_by_us": (N_("en attente de son accord"), "wait"),
    "asks_us": (N_("elle aimerait partager avec nous"), "wait"),
    "linked": (N_("liée"), "good"),
    "paused": (N_("en pause"), "wait"),
    "next_to_us": (N_("liée directement"), "good"),
    "elsewhere": (N_("liée par un autre hub"), "good"),
    "left": (N_("a quitté le hub"), "off"),
    "blocked": (N_("bloquée"), "off"),
}
INVITATION_STATES: dict[str, tuple[str, str]] = {
    "open": (N_("en attente"), "wait"),
    "pending": (N_("en attente"), "wait"),
    "sent": (N_("en attente"), "wait"),
    "accepted": (N_("acceptée"), "good"),
    "used": (N_("acceptée"), "good"),
    "revoked": (N_("annulée"), "off"),
    "expired": (N_("échue"), "off"),
}
COPY_STATES: dict[str, tuple[str, str]] = {
    "holds": (N_("elle a une copie"), "good"),
    "on_the_way": (N_("en route"), "wait"),
    "to_be_deleted": (N_("retirée, elle garde peut-être une copie"), "wait"),
    "deleted": (N_("effacée chez elle"), "off"),
}
