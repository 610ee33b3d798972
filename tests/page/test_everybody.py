"""The page for everybody: accessibility, keyboard, screen readers, narrow screens, dark and light, languages."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.fakes.browser import Browser
from tests.fakes.page_api import CUT, PRIME, STALLED
from web.page.assets import STATIC

LANGUAGES = sorted(path.stem for path in (STATIC / "words").glob("*.js"))


def words(language: str) -> dict[str, list[str]]:
    """Return the names of the words of a language, and what is filled into each."""
    text = (STATIC / "words" / f"{language}.js").read_text("utf-8")
    found = re.findall(r'^  (\w+): (".*"),$', text, re.MULTILINE)
    return {name: sorted(re.findall(r"\{\w+\}", value)) for name, value in found}


def violations(tab: Browser) -> list[Any]:
    found = Axe().run(tab.page).response["violations"]
    return [(rule["id"], [node["html"][:150] for node in rule["nodes"]]) for rule in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_keeps_the_rules_of_accessibility(browser: Any, url: str, scheme: str) -> None:
    with Browser.open(browser, url, color_scheme=scheme, bypass_csp=True) as tab:
        expect(tab.page.locator("#examples button").first).to_be_visible()
        assert violations(tab) == []
        tab.ask(STALLED)
        expect(tab.page.locator(".trace")).to_contain_text("semiprime")
        expect(tab.page.locator(".step .title").first).to_be_visible()
        tab.page.locator(".step").first.hover()
        assert violations(tab) == []
        tab.page.locator("#send").click()
        tab.ask_to_the_end(CUT)
        tab.ask_to_the_end(PRIME)
        tab.page.get_by_role("button", name="As raw").last.click()
        assert violations(tab) == []


def test_the_key_dialog_keeps_the_rules_of_accessibility(browser: Any, keyed_url: str) -> None:
    with Browser.open(browser, keyed_url, bypass_csp=True) as tab:
        expect(tab.page.locator("#key")).to_be_visible()
        assert violations(tab) == []


@pytest.mark.parametrize("locale", ["en", "de", "ru", "ar"])
def test_nothing_is_wider_than_a_screen_of_320_pixels(browser: Any, url: str, locale: str) -> None:
    with Browser.open(browser, url, locale=locale, viewport={"width": 320, "height": 640}) as tab:
        for question in (PRIME, CUT):
            tab.ask_to_the_end(question)
        wide = tab.page.evaluate(
            "[...document.querySelectorAll('body *')].filter((node) => !node.closest('.code, table, math, .unseen')"
            " && getComputedStyle(node).clipPath === 'none' && node.getBoundingClientRect().right > innerWidth)"
            ".map((node) => node.className)"
        )
        assert (tab.page.evaluate("document.scrollingElement.scrollWidth <= 320"), wide) == (True, [])


def test_everything_is_done_by_keyboard(tab: Browser) -> None:
    expect(tab.page.locator("#question")).to_be_focused()
    tab.page.keyboard.type("One line")
    tab.page.keyboard.press("Shift+Enter")
    tab.page.keyboard.type("and another")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".question")).to_have_text("One line\nand another")
    expect(tab.page.locator("#send")).to_have_text("Ask")
    for _ in range(40):
        tab.page.keyboard.press("Shift+Tab")
        if tab.page.evaluate("document.activeElement.textContent") == "As raw":
            break
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".raw")).to_be_visible()


def test_a_screen_reader_is_told_of_steps_and_of_the_end_and_never_of_pieces(tab: Browser) -> None:
    tab.page.evaluate(
        "window.told = []; new MutationObserver(() => told.push(announcer.textContent))"
        ".observe(document.getElementById('announcer'), {childList: true})"
    )
    tab.ask_to_the_end(PRIME)
    expect(tab.page.locator("#announcer")).to_have_text("The answer is complete.")
    told = tab.page.evaluate("told")
    assert [text.split(":")[0] for text in told[:-1]] == [f"Step {n}" for n in range(1, len(told))]
    assert tab.page.locator("[aria-live]").count() == 0


def test_nothing_moves_for_those_who_want_no_motion(browser: Any, url: str) -> None:
    with Browser.open(browser, url, reduced_motion="reduce") as tab:
        tab.ask(STALLED)
        assert tab.page.locator(".pulse").evaluate("(node) => getComputedStyle(node).animationName") == "none"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word(language: str) -> None:
    assert words(language) == words("en")


def test_every_file_of_words_is_offered() -> None:
    listed = (STATIC / "words.js").read_text("utf-8").partition("LANGUAGES = [")[2].partition("]")[0]
    assert ["en", *re.findall(r"\w+", listed)] == sorted(LANGUAGES, key=lambda tag: (tag != "en", tag))


def test_the_page_speaks_the_readers_language(browser: Any, url: str) -> None:
    for language, shown, direction in (
        ("de", "de", "ltr"),
        ("ar", "ar", "rtl"),
        ("nb", "no", "ltr"),
        ("xx", "en", "ltr"),
    ):
        context = browser.new_context(locale=language)
        tab = Browser(context.new_page())
        tab.page.goto(url)
        expect(tab.page.locator("html")).to_have_attribute("lang", shown)
        expect(tab.page.locator("html")).to_have_attribute("dir", direction)
        expect(tab.page.locator("#examples button")).to_have_count(3)
        assert tab.problems == []
        context.close()
