"""The kinds of offers and needs, and the words that people use for them."""

from contracts.catalog import Kind
from services.chassis.problems import Text

KINDS: dict[Kind, Text] = {
    "expertise": Text(fr="compétence", nl="expertise", en="expertise"),
    "equipment": Text(fr="matériel", nl="materiaal", en="equipment"),
    "machine": Text(fr="machine", nl="machine", en="machine"),
    "space": Text(fr="lieu", nl="ruimte", en="space"),
    "material": Text(fr="matière", nl="grondstof", en="material"),
    "training": Text(fr="formation", nl="opleiding", en="training"),
    "help": Text(fr="coup de main", nl="hulp", en="help"),
    "document": Text(fr="document", nl="document", en="document"),
}
