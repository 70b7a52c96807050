"""What can be wrong with a CSV file, and with one of its cells."""

from dataclasses import dataclass
from typing import Any

from services.chassis.problems import LANGUAGES, Problem, Text

_LONGEST_VALUE = 80


class FileTooLarge(Problem):
    """More than 8 MiB, or more than 20,000 rows."""

    status = 413
    slug = "catalog/file-too-large"
    text = Text(
        fr="Ce fichier est trop grand : 8 Mio et 20 000 lignes au plus. Partagez-le en plusieurs fichiers.",
        en="This file is too large: 8 MiB and 20,000 rows at most. Split it into several files.",
        nl="Dit bestand is te groot: hoogstens 8 MiB en 20.000 rijen. Splits het in meerdere bestanden.",
    )


class FileUnreadable(Problem):
    """Not text in any encoding that we know, or empty."""

    status = 422
    slug = "catalog/file-unreadable"
    text = Text(
        fr="Ce fichier n'est pas un texte lisible. Enregistrez-le au format CSV (UTF-8) et recommencez.",
        en="This file is not readable text. Save it as CSV (UTF-8) and try again.",
        nl="Dit bestand is geen leesbare tekst. Bewaar het als CSV (UTF-8) en probeer opnieuw.",
    )


class ColumnsMissing(Problem):
    """The first line does not name the columns that every file has. `columns`: the missing ones."""

    status = 422
    slug = "catalog/columns-missing"
    text = Text(
        fr="La première ligne doit nommer les colonnes. Il manque : {columns}.",
        en="The first line must name the columns. Missing: {columns}.",
        nl="De eerste regel moet de kolommen noemen. Ontbreekt: {columns}.",
    )


class ColumnTwice(Problem):
    """Two header cells mean the same column."""

    status = 422
    slug = "catalog/column-twice"
    text = Text(
        fr="La colonne « {column} » figure deux fois.",
        en="The column “{column}” is there twice.",
        nl="De kolom “{column}” staat er twee keer.",
    )


class AlreadyRun(Problem):
    """This import was run before; check the file again to run it again."""

    status = 409
    slug = "catalog/import-already-run"
    text = Text(
        fr="Cet import a déjà été lancé. Envoyez de nouveau le fichier pour l'importer encore une fois.",
        en="This import was already started. Send the file again to import it once more.",
        nl="Deze import werd al gestart. Stuur het bestand opnieuw om het nog eens te importeren.",
    )


@dataclass(frozen=True, kw_only=True)
class CellError:
    """One bad cell. `line`: in the file, the header is line 1; `reason`: in every language."""

    line: int
    column: str
    value: str
    reason: Text

    def as_json(self) -> dict[str, Any]:
        reason = {language: self.reason.say(language) for language in LANGUAGES}
        value = self.value[:_LONGEST_VALUE].replace("\0", "\N{REPLACEMENT CHARACTER}")
        return {"line": self.line, "column": self.column, "value": value, "reason": reason}


UNKNOWN_WORD = Text(
    fr="Mot inconnu. Choisissez parmi : {words}.",
    en="Unknown word. Choose one of: {words}.",
    nl="Onbekend woord. Kies uit: {words}.",
)
NOT_A_DATE = Text(
    fr="Date non comprise. Écrivez 19/03/2026, 19/03/2026 14:00 ou 2026-03-19T14:00.",
    en="Date not understood. Write 2026-03-19, 2026-03-19T14:00 or 19/03/2026 14:00.",
    nl="Datum niet begrepen. Schrijf 19/03/2026, 19/03/2026 14:00 of 2026-03-19T14:00.",
)
NOT_A_NUMBER = Text(fr="Un nombre, s'il vous plaît.", en="A number, please.", nl="Een getal graag.")
NOT_PRINTABLE = Text(
    fr="Cette ligne contient un caractère illisible.",
    en="This line has an unreadable character.",
    nl="Deze regel bevat een onleesbaar teken.",
)
RAGGED = Text(
    fr="Cette ligne a {found} cellules au lieu de {expected}. Un séparateur manque ou est en trop.",
    en="This line has {found} cells instead of {expected}. A separator is missing or too many.",
    nl="Deze regel heeft {found} cellen in plaats van {expected}. Een scheidingsteken ontbreekt of is te veel.",
)
BAD_QUOTES = Text(
    fr="Les guillemets de cette ligne ne se referment pas comme il faut.",
    en="The quotes of this line do not close as they should.",
    nl="De aanhalingstekens van deze regel sluiten niet zoals het hoort.",
)
REF_TWICE = Text(
    fr="Cette référence figure déjà à la ligne {line}.",
    en="This reference is already on line {line}.",
    nl="Deze referentie staat al op regel {line}.",
)
REF_TOO_LONG = Text(
    fr="La référence a 200 caractères au plus.",
    en="A reference has 200 characters at most.",
    nl="Een referentie telt hoogstens 200 tekens.",
)
UNKNOWN_CIRCLE = Text(
    fr="Aucun cercle ne s'appelle « {name} ».",
    en="No circle is called “{name}”.",
    nl="Geen enkele kring heet “{name}”.",
)
WITHDRAWN_MEANWHILE = Text(
    fr="Cette annonce a été retirée ; elle n'est pas republiée par un import.",
    en="This listing was withdrawn; an import does not publish it again.",
    nl="Dit bericht werd ingetrokken; een import plaatst het niet opnieuw.",
)
OTHER_SIDE = Text(
    fr="Cette référence désigne déjà une annonce de l'autre type (offre ou besoin).",
    en="This reference already names a listing of the other type (offer or need).",
    nl="Deze referentie hoort al bij een bericht van het andere type (aanbod of vraag).",
)


def filled(text: Text, **values: Any) -> Text:
    """`text` with its placeholders filled in, in every language."""
    return Text(**{language: text.say(language, **values) for language in LANGUAGES})
