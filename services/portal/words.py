"""The words for codes: kinds, states, reasons, audiences. French source texts, marked for the catalogues."""

from services.portal.language import N_
from services.portal.link_words import COPY_STATES, INVITATION_STATES, LINK_STATES, MEMBER_STATES

KINDS: dict[str, str] = {
    "expertise": N_("compétence"),
    "equipment": N_("matériel"),
    "machine": N_("machine"),
    "space": N_("lieu"),
    "material": N_("matière"),
    "training": N_("formation"),
    "help": N_("coup de main"),
    "document": N_("document"),
}
KIND_EXAMPLES: dict[str, str] = {
    "expertise": N_("un savoir-faire, un conseil"),
    "equipment": N_("chaises, sono, remorque"),
    "machine": N_("découpe laser, machine à coudre"),
    "space": N_("salle, atelier, bureau"),
    "material": N_("bois, tissu, chutes"),
    "training": N_("un atelier, un cours"),
    "help": N_("quelques heures, des bras"),
    "document": N_("un guide, un modèle"),
}
BOOKING_STATES: dict[str, tuple[str, str]] = {
    "held": (N_("retenue"), "wait"),
    "pending": (N_("en attente de réponse"), "wait"),
    "confirmed": (N_("confirmée"), "good"),
    "declined": (N_("refusée"), "bad"),
    "cancelling": (N_("annulation demandée"), "wait"),
    "cancelled": (N_("annulée"), "off"),
    "expired": (N_("sans réponse à temps"), "off"),
    "in_use": (N_("en cours"), "good"),
    "returned": (N_("rendue"), "off"),
    "completed": (N_("terminée"), "off"),
    "no_show": (N_("personne n'est venu"), "bad"),
    "overdue": (N_("en retard"), "bad"),
}
WAITING_STATES: dict[str, tuple[str, str]] = {
    "waiting": (N_("en liste d'attente"), "wait"),
    "offered": (N_("une place pour vous"), "good"),
    "accepted": (N_("place acceptée"), "good"),
    "left": (N_("liste quittée"), "off"),
    "lapsed": (N_("le délai est passé"), "off"),
    "ended": (N_("aucune place ne s'est libérée"), "off"),
}
WAITING_WORDS: dict[str, str] = {"offered": N_("une place lui est proposée"), "waiting": N_("en liste d'attente")}
INTRODUCTION_STATES: dict[str, tuple[str, str]] = {
    "asked": (N_("en attente de réponse"), "wait"),
    "accepted": (N_("en contact"), "good"),
    "declined": (N_("refusée"), "bad"),
    "withdrawn": (N_("demande retirée"), "off"),
}
LISTING_STATES: dict[str, tuple[str, str]] = {
    "published": (N_("publiée"), "good"),
    "withdrawn": (N_("retirée"), "off"),
    "expired": (N_("échue"), "off"),
}
SEAT_STATES: dict[str, tuple[str, str]] = {
    "taken": (N_("j'y ai ma place"), "good"),
    "offered": (N_("une place m'est proposée"), "wait"),
    "waiting": (N_("en liste d'attente"), "wait"),
}
SESSION_STATES: dict[str, tuple[str, str]] = {
    "planned": (N_("prévue"), "good"),
    "over": (N_("passée"), "off"),
    "cancelled": (N_("annulée"), "off"),
    "short": (N_("il manque du monde"), "wait"),
}
STATES = {
    "member": MEMBER_STATES,
    "seat": SEAT_STATES,
    "session": SESSION_STATES,
    "booking": BOOKING_STATES,
    "waiting": WAITING_STATES,
    "listing": LISTING_STATES,
    "introduction": INTRODUCTION_STATES,
    "link": LINK_STATES,
    "copy": COPY_STATES,
    "invitation": INVITATION_STATES,
}
PERIODS: dict[str, str] = {
    "month": N_("ce mois-ci"),
    "month-before": N_("le mois dernier"),
    "year": N_("cette année"),
    "year-before": N_("l'an dernier"),
}
ROLES: dict[str, str] = {
    "member": N_("membre"),
    "coordinator": N_("équipe d'appui"),
    "administrator": N_("administration"),
}
SCOPES: dict[str, tuple[str, str]] = {
    "circle": (N_("Un cercle"), N_("les membres des cercles choisis, personne d'autre")),
    "cooperative": (N_("Ma coopérative"), N_("tous les membres d'ici")),
    "peers": (N_("Les coopératives liées aussi"), N_("les membres d'ici et ceux des coopératives liées")),
    "public": (N_("Tout le monde"), N_("même sans compte")),
}
URGENCIES: dict[str, str] = {"low": N_("peut attendre"), "normal": N_("normale"), "high": N_("urgent")}
APPROVALS: dict[str, str] = {
    "automatic": N_("Automatique : confirmée tout de suite si c'est libre"),
    "owner": N_("J'accepte chaque demande moi-même"),
    "coordinator": N_("L'équipe d'appui accepte chaque demande"),
}
MAIL_CHOICES: dict[str, str] = {
    "all": N_("Tout : chaque nouvelle aussi par courriel"),
    "important": N_("L'important : réservations et demandes à décider"),
    "none": N_("Rien : seulement les messages d'ici"),
}
PARTS: dict[str, str] = {
    "identity": N_("les comptes"),
    "catalog": N_("le catalogue"),
    "booking": N_("les réservations"),
    "matching": N_("la recherche et les mises en relation"),
    "notify": N_("les messages"),
    "federation": N_("les liens avec les autres coopératives"),
}
FEEDS: dict[str, str] = {
    "member": N_("Mes réservations"),
    "resource": N_("Qui réserve :"),
    "busy": N_("Libre ou occupé :"),
    "circle": N_("Cercle :"),
}
PROGRESS: dict[str, str] = {
    "checked": N_("vérifié, pas encore importé"),
    "running": N_("import en cours"),
    "done": N_("import terminé"),
    "failed": N_("import interrompu"),
}
SESSION_TEMPLATES: dict[str, tuple[str, str, str]] = {
    "co_development": (
        N_("Codéveloppement"),
        N_("une personne apporte une situation, les autres l'aident à y voir clair"),
        "team",
    ),
    "peer_mentoring": (
        N_("Parrainage"),
        N_("une personne qui connaît la maison, une autre qui arrive : un tête-à-tête discret"),
        "person",
    ),
    "monthly_day": (
        N_("Journée mensuelle"),
        N_("chaque troisième jeudi, par exemple, avec repas, covoiturage et coin des enfants"),
        "calendar",
    ),
    "open": (N_("Autre séance"), N_("un atelier, une visite, une réunion : vous choisissez tout"), "plus"),
}
SESSION_REPEATS: dict[str, str] = {
    "": N_("une seule fois"),
    "weekly": N_("chaque semaine"),
    "fortnightly": N_("toutes les deux semaines"),
    "monthly": N_("chaque mois (le 3e jeudi, par exemple)"),
}
EXTRA_KINDS: dict[str, str] = {"yes_no": N_("oui ou non"), "number": N_("un nombre")}
FLASHES: dict[str, str] = {
    "weights-accepted": N_("C'est noté : les offres sont triées ainsi à partir de maintenant."),
    "weights-declined": N_("C'est noté : rien ne change."),
    "session-planned": N_("La séance est prévue. Les inscriptions sont ouvertes."),
    "sessions-planned": N_("Les séances sont prévues. Voici la première."),
    "session-moved": N_("La séance est déplacée. Les personnes inscrites sont prévenues et gardent leur place."),
    "seat-taken": N_("Votre place est prise. Un courriel part avec le rendez-vous."),
    "seat-waiting": N_("Vous êtes en liste d'attente. Vous serez prévenu·e dès qu'une place se libère."),
    "seat-left": N_("C'est noté. La place va à la personne suivante."),
    "signed-in": N_("Bonjour ! Vous êtes connecté·e."),
    "signed-out": N_("Vous êtes déconnecté·e. À bientôt !"),
    "welcome": N_("Bienvenue ! Votre compte est prêt."),
    "reset-sent": N_(
        "Si cette adresse est connue ici, un courriel vient de partir. Le lien sert une fois, pendant une heure."
    ),
    "password-changed": N_("Votre mot de passe est changé."),
    "email-sent": N_("Un courriel vient de partir à la nouvelle adresse. Suivez son lien pour terminer."),
    "email-changed": N_("Votre adresse est changée."),
    "saved": N_("C'est enregistré."),
    "left": N_("Vous avez quitté la coopérative. Merci pour tout ce que vous y avez partagé."),
    "offer-published": N_("Votre offre est publiée."),
    "need-published": N_("Votre demande est publiée. Voici ce qui pourrait y répondre."),
    "rules-later": N_("Votre offre est publiée. Ses règles de réservation restent à enregistrer ici."),
    "search-kept": N_(
        "C'est gardé. Vous serez averti·e chaque matin s'il y a du nouveau ; changez-le ici si vous voulez."
    ),
    "search-removed": N_("Cette recherche est supprimée."),
    "introduction-asked": N_("La demande est partie. Rien n'est donné avant un oui."),
    "introduction-withdrawn": N_("Vous ne demandez plus à être mis·e en contact."),
    "introduction-accepted": N_("C'est accepté. Chacun reçoit le nom et l'adresse de l'autre."),
    "introduction-declined": N_("C'est refusé, sans rien donner. La personne est prévenue."),
    "need-widened": N_("C'est élargi. Vous serez prévenu·e de ce qui arrive."),
    "need-kept": N_("C'est noté : rien ne change."),
    "match-accepted": N_("C'est noté : cela vous convient."),
    "match-declined": N_("C'est noté. Cette offre ne vous sera plus proposée pour cette demande."),
    "pledge-received": N_("C'est noté : vous l'avez reçu."),
    "pledge-awaited": N_("C'est noté : vous l'attendez encore."),
    "match-told": N_("Merci, c'est noté."),
    "changed": N_("La modification est publiée."),
    "withdrawn": N_("C'est retiré, ici et dans les coopératives liées."),
    "rules-saved": N_("Les règles de réservation sont enregistrées."),
    "not-bookable": N_("On ne peut plus réserver cette offre. Les réservations déjà faites restent."),
    "booked": N_("C'est réservé. Vous recevrez un courriel avec le rendez-vous."),
    "requested": N_("La demande est partie. Vous serez prévenu·e dès la réponse."),
    "approved": N_("C'est accepté. La personne est prévenue."),
    "declined": N_("C'est refusé. La personne est prévenue."),
    "approved-first": N_("Votre oui est noté. Une deuxième personne doit encore dire oui."),
    "moved": N_("La réservation est déplacée. Les deux agendas sont mis à jour."),
    "series-moved": N_("Les dates sont déplacées. Les deux agendas sont mis à jour."),
    "change-asked": N_("La demande de changement est partie. L'ancienne période reste gardée jusqu'à la réponse."),
    "asked-peer": N_("C'est parti chez l'autre coopérative. Rien ne change avant sa réponse."),
    "change-refused": N_("C'est refusé. La réservation reste comme elle était."),
    "change-withdrawn": N_("Le changement n'est plus demandé. La réservation reste comme elle était."),
    "hold-released": N_("La place est rendue."),
    "cancelled": N_("C'est annulé. Les personnes concernées sont prévenues."),
    "cancelling": N_("L'annulation est partie chez l'autre coopérative. Elle compte dès sa réponse."),
    "feed-revoked": N_("L'adresse est supprimée : plus aucun agenda ne peut la lire."),
    "calendar-given": N_("C'est noté. Votre agenda est lu dans la minute, puis toutes les demi-heures."),
    "calendar-forgotten": N_("Votre agenda est oublié : il ne bloque plus rien."),
    "follows": N_("Cette offre suit maintenant votre agenda."),
    "follows-not": N_("Cette offre ne suit plus votre agenda."),
    "check-in": N_("L'arrivée est signalée."),
    "check-out": N_("Le départ est signalé. Merci !"),
    "waiting": N_("Vous êtes en liste d'attente. Vous serez prévenu·e dès que c'est votre tour."),
    "left-line": N_("Vous n'attendez plus cette place."),
    "settled": N_("C'est réglé. Les personnes concernées sont prévenues."),
    "all-read": N_("Tout est marqué comme lu."),
    "circle-made": N_("Le cercle est créé."),
    "circle-closed": N_("Le cercle est fermé."),
    "joined": N_("La personne fait partie du cercle."),
    "member-invited": N_("L'invitation est partie par courriel. Elle vaut sept jours."),
    "invitation-revoked": N_("L'invitation ne vaut plus."),
    "role-changed": N_("Le rôle est changé."),
    "member-left": N_("Cette personne ne fait plus partie de la coopérative."),
    "import-started": N_("L'import a commencé."),
    "link-asked": N_("L'autre coopérative est prévenue. Elle doit maintenant confirmer de son côté."),
    "link-confirmed": N_("C'est confirmé. Le lien se met en place en quelques secondes."),
    "member-accepted": N_("C'est noté. Dès qu'elle est d'accord aussi, vous voyez ce que chacune partage."),
    "link-paused": N_("Le lien est en pause. Rien n'est perdu : tout attend."),
    "link-resumed": N_("Le lien reprend."),
    "letter-replayed": N_("C'est reparti : le message est réessayé. S'il échoue encore, il revient ici."),
    "letter-dropped": N_("Le message est supprimé."),
    "unclaimed-called-off": N_("C'est demandé. La liste se vide dès que l'autre coopérative a répondu."),
    "link-limited": N_("C'est enregistré. Ce qui ne doit plus y aller est retiré chez elle en moins d'une minute."),
    "peer-blocked": N_("Cette coopérative est bloquée."),
    "peer-unblocked": N_("Le blocage est levé. Pour vous lier, il faut une invitation."),
    "recovery-ended": N_("Les réservations sont de nouveau confirmées."),
    "link-ended": N_("Le lien est terminé. Ce qui avait été partagé disparaît des deux côtés."),
}


SAMPLE_NOTICE = N_("Données d'exemple : cette coopérative de démonstration n'est pas celle qui porte ce nom.")
"""What the demo says on every page (MAILLAGE_NOTICE); it is here to be translated."""
