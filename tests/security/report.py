"""The table of what was tried, what stopped it, and where it is counted."""

from dataclasses import dataclass, field


@dataclass
class Report:
    """Rows in the order in which they were tried."""

    title: str
    rows: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    def add(self, attempt: str, stopped_by: str, counted: str) -> None:
        self.rows.append((attempt, stopped_by, counted))

    def text(self) -> str:
        table = [("attempt", "what stopped it", "where it is counted"), *self.rows]
        widths = [max(len(row[column]) for row in table) for column in range(3)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        return "\n".join(["", self.title, lines[0], "-" * (sum(widths) + 4), *lines[1:], ""])
