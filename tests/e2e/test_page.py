"""The page over the real Qwen: a question is understood, thought about in steps, and answered."""

import shutil

import pytest
from playwright.sync_api import expect

from tests.fakes.browser import MISSING, Browser, chromium

QUESTION = "How many days are there in three weeks and four days?"
MILLISECONDS = 200_000


@pytest.mark.skipif(not shutil.which("chromium"), reason=MISSING)
def test_the_qwen_is_watched_and_asked_directly(url: str) -> None:
    with chromium() as browser, Browser.open(browser, url) as tab:
        expect.set_options(timeout=MILLISECONDS)
        tab.ask_to_the_end(QUESTION)
        assert tab.texts(".understood p") == [QUESTION]
        assert tab.page.locator(".step .title").count() == tab.page.locator(".stretch").count() > 0
        assert tab.texts(".markdown")[0]
        tab.page.get_by_role("button", name="As raw").click()
        expect(tab.page.locator(".raw h3").first).to_have_text("The same question, asked of the model directly")
        expect(tab.page.locator(".raw-text").first).to_contain_text("</think>")
        assert tab.problems == []
