"""pydantic's validation errors as sentences beside a field."""

from typing import Any

from services.chassis.problems import FieldError, Text

_WHOLE = Text(fr="Un nombre entier, s'il vous plaît.", en="A whole number, please.", nl="Een geheel getal graag.")
_NUMBER = Text(fr="Un nombre, s'il vous plaît.", en="A number, please.", nl="Een getal graag.")
_UNREADABLE = Text(
    fr="Ce texte contient un caractère illisible.",
    en="This text has an unreadable character.",
    nl="Deze tekst bevat een onleesbaar teken.",
)
_TEXTS: dict[str, Text] = {
    "missing": Text(fr="À remplir.", en="Please fill this in.", nl="Vul dit in."),
    "string_too_short": Text(
        fr="Trop court : au moins {min_length} caractère(s).",
        en="Too short: at least {min_length} character(s).",
        nl="Te kort: minstens {min_length} teken(s).",
    ),
    "string_too_long": Text(
        fr="Trop long : {max_length} caractères au plus.",
        en="Too long: {max_length} characters at most.",
        nl="Te lang: hoogstens {max_length} tekens.",
    ),
    "greater_than_equal": Text(fr="Au moins {ge}.", en="At least {ge}.", nl="Minstens {ge}."),
    "greater_than": Text(fr="Plus de {gt}.", en="More than {gt}.", nl="Meer dan {gt}."),
    "less_than_equal": Text(fr="Au plus {le}.", en="At most {le}.", nl="Hoogstens {le}."),
    "less_than": Text(fr="Moins de {lt}.", en="Less than {lt}.", nl="Minder dan {lt}."),
    "literal_error": Text(
        fr="Choisissez parmi : {expected}.", en="Choose one of: {expected}.", nl="Kies uit: {expected}."
    ),
    "too_short": Text(
        fr="Pas assez d'éléments : au moins {min_length}.",
        en="Too few: at least {min_length}.",
        nl="Te weinig: minstens {min_length}.",
    ),
    "too_long": Text(
        fr="Trop d'éléments : {max_length} au plus.",
        en="Too many: {max_length} at most.",
        nl="Te veel: hoogstens {max_length}.",
    ),
    "string_type": Text(fr="Un texte, s'il vous plaît.", en="A text, please.", nl="Een tekst graag."),
    "string_unicode": _UNREADABLE,
    "control_characters": _UNREADABLE,
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), _WHOLE),
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), _NUMBER),
    "half_a_point": Text(
        fr="La latitude et la longitude vont ensemble.",
        en="Latitude and longitude go together.",
        nl="Breedtegraad en lengtegraad horen bij elkaar.",
    ),
    "extra_forbidden": Text(fr="Champ inconnu.", en="Unknown field.", nl="Onbekend veld."),
    "uuid_parsing": Text(fr="Identifiant non valable.", en="Not a valid identifier.", nl="Geen geldige identificatie."),
    "json_invalid": Text(
        fr="Ce n'est pas du JSON valable.", en="This is not valid JSON.", nl="Dit is geen geldige JSON."
    ),
    "timezone_aware": Text(
        fr="Indiquez aussi le décalage horaire (par exemple +01:00).",
        en="Give the UTC offset too (for example +01:00).",
        nl="Geef ook het tijdsverschil op (bijvoorbeeld +01:00).",
    ),
    "date_out_of_range": Text(
        fr="Une année entre {first} et {last}, s'il vous plaît.",
        en="A year between {first} and {last}, please.",
        nl="Een jaar tussen {first} en {last} graag.",
    ),
}
_DATE = Text(fr="Date ou heure non valable.", en="Not a valid date or time.", nl="Geen geldige datum of tijd.")
_OTHER = Text(fr="Valeur non valable.", en="Not a valid value.", nl="Geen geldige waarde.")


def field_error(error: dict[str, Any]) -> FieldError:
    """Turn one entry of pydantic's `errors()` into a field error."""
    code = str(error["type"])
    location = [str(part) for part in error.get("loc", ()) if part not in {"body", "query", "path", "header"}]
    if (error.get("ctx") or {}).get("field_type") == "Value":
        code = f"string_{code}"  # a length that pydantic checks after a function of ours: of a text all the same
    date_like = code.startswith(("date", "time"))
    text = _TEXTS.get(code, _DATE if date_like else _OTHER)
    context = {key: value for key, value in (error.get("ctx") or {}).items() if isinstance(value, str | int | float)}
    return FieldError(".".join(location), code, text, tuple(context.items()))
