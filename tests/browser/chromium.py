"""The machine's own Chromium, driven by Playwright (whose browser would be another download of 150 MB)."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

PATIENCE_MS = 60_000
"""How long a page may take: far more than it needs, because tests share the machine with others."""
_FLAGS = [
    "--no-sandbox",  # tests may run as root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome")


class NoBrowser(RuntimeError):
    """No Chromium on this machine; `make test` installs it."""


@contextmanager
def running() -> Generator[Browser]:
    """A headless browser. Raises NoBrowser.

    Playwright's loop runs in this thread as long as the block: nothing asynchronous may run beside it.
    """
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        raise NoBrowser("no Chromium found: `python -m deploy.local ensure chromium` installs it")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()
