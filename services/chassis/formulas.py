"""Cells that a spreadsheet would run as a formula.

Source: OWASP, CSV Injection: a cell that begins with = + - @, tab or carriage return is code for spreadsheets. An
apostrophe in front makes it text. A cell that already looks protected gets one more, so that reading undoes writing.
"""

import re

_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")


def neutralise(text: str) -> str:
    """The cell as it is written."""
    return "'" + text if _DANGEROUS.match(text) else text


def restore(cell: str) -> str:
    """The text that `neutralise` was given; a cell that it never wrote stays as it is."""
    return cell[1:] if cell.startswith("'") and _DANGEROUS.match(cell) else cell
