"""Reads what the local SMTP sink has received, over its HTTP page."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Mailbox:
    """The mails of everybody. `url`: where the sink shows them; `/messages.json` lists them, newest first."""

    url: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10))

    def to(self, address: str) -> list[dict[str, Any]]:
        """Messages to `address`, newest first: {"to", "subject", "text", "attachments"}."""
        answer = self.http.get(f"{self.url}/messages.json").raise_for_status().json()
        return [message for message in answer if address in message["to"]]

    def newest(self, address: str, pattern: re.Pattern[str]) -> str | None:
        """The first group of `pattern` in the newest message to `address` that has it."""
        for message in self.to(address):
            if found := pattern.search(message["text"]):
                return found[1]
        return None

    def subject(self, address: str, word: str, *, after: int = 0) -> dict[str, Any] | None:
        """The newest message to `address`, past the first `after` ones, that speaks of `word` in subject or text."""
        messages = self.to(address)
        fresh = messages[: len(messages) - after]
        return next((m for m in fresh if word in m["subject"] or word in m["text"]), None)
