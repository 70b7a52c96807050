"""The third places of Hauts-de-France as a file for the import of the catalogue."""

import csv
import io
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
SOURCE = "Source : CGET, Mission Coworking, 2019, Licence Ouverte 2.0."
_COLUMNS = (
    "ref",
    "type",
    "genre",
    "titre",
    "texte",
    "categorie",
    "langue",
    "lieu",
    "latitude",
    "longitude",
    "visibilite",
)


def as_import() -> bytes:
    """The 76 places as offers of the kind `space`, visible to linked cooperatives; UTF-8, semicolons."""
    text = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(text, _COLUMNS, delimiter=";")
    writer.writeheader()
    with (DATA / "tiers-lieux-hauts-de-france-2019.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            writer.writerow(_offer(row))
    return text.getvalue().encode()


def _offer(row: dict[str, str]) -> dict[str, str]:
    web = f" Site : {row['website']}." if row["website"] else ""
    return {
        "ref": f"tiers-lieu-{row['id']}",
        "type": "offre",
        "genre": "space",
        "titre": f"{row['name']}, {row['commune']}"[:120],
        "texte": f"{row['kind']}.{web} {SOURCE}",
        "categorie": "Tiers-lieu",
        "langue": "fr",
        "lieu": f"{row['address']}, {row['commune']}",
        "latitude": row["latitude"],
        "longitude": row["longitude"],
        "visibilite": "partenaires",
    }
