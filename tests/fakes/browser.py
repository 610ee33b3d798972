"""A tab of Debian's Chromium with the page in it, and what a person does there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from playwright.sync_api import Page, expect, sync_playwright

MISSING = "Chromium is not installed; `apt-get install chromium` brings it"
EXECUTABLE = "/usr/bin/chromium"
SECONDS = 60
"""The machine may do much else."""
EXPECTED_ERROR = re.compile(r"Failed to load resource|net::ERR_")
"""Chromium's own words for a request that failed, which is what some tests want."""


@contextmanager
def chromium() -> Iterator[Any]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"])
        expect.set_options(timeout=SECONDS * 1000)
        yield running
        running.close()


class Browser:
    """A tab. `problems` are the errors in its console: of scripts, and of the Content-Security-Policy."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(SECONDS * 1000)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._heard)
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))

    @classmethod
    @contextmanager
    def open(cls, browser: Any, url: str, **options: Any) -> Iterator[Self]:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, "locale": "en-GB", **options})
        tab = cls(context.new_page())
        tab.page.goto(url)
        yield tab
        context.close()

    def _heard(self, message: Any) -> None:
        if message.type == "error" and not EXPECTED_ERROR.search(message.text):
            self.problems.append(message.text)

    def ask(self, question: str) -> None:
        expect(self.page.locator("#send")).to_be_enabled()
        self.page.locator("#question").fill(question)
        self.page.locator("#question").press("Enter")

    def ask_to_the_end(self, question: str) -> None:
        """Ask, and wait until the turn is over."""
        turns = self.page.locator(".turn footer .actions")
        before = turns.count()
        self.ask(question)
        expect(turns).to_have_count(before + 1)
        expect(self.page.locator("#send.stop")).to_have_count(0)

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()
