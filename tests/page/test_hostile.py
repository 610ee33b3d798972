"""Text of a model is text: it runs nothing, loads nothing, and leaves the page as it is, however much it is."""

import pytest
from playwright.sync_api import expect

from tests.fakes.browser import Browser
from tests.fakes.page_api import HOSTILE, HOSTILE_TRACE, LINE, LINES, LONG, PRIME


def test_a_hostile_trace_and_a_hostile_answer_are_text(tab: Browser) -> None:
    title = tab.page.title()
    tab.ask_to_the_end(HOSTILE)
    assert "".join(tab.page.locator(".trace .chunk").all_text_contents()) == HOSTILE_TRACE
    expect(tab.page.locator(".markdown")).to_contain_text("document.title = 'hacked'")
    foreign = ".turn :is(script, style, iframe, img, object, form, [onerror], [style], [id], [href^=javascript])"
    assert tab.page.locator(foreign).count() == 0
    assert tab.page.title() == title
    assert tab.hosts == {tab.page.url.split("/")[2]}
    assert tab.page.locator("#composer").is_visible()


def test_links_lead_out_and_tell_nothing(tab: Browser) -> None:
    tab.ask_to_the_end(HOSTILE)
    links = tab.page.locator(".markdown a[href]").evaluate_all(
        "(all) => all.map((link) => [link.href, link.target, link.rel])"
    )
    assert links == [["http://127.0.0.1:9/track.png", "_blank", "noopener noreferrer nofollow"]]


def test_right_to_left_text_is_read_so(tab: Browser) -> None:
    tab.ask_to_the_end("مرحبا")
    direction = "(node) => getComputedStyle(node).direction"
    assert tab.page.locator(".question").evaluate(direction) == "rtl"
    tab.ask_to_the_end(PRIME)
    assert tab.page.locator(".question").last.evaluate(direction) == "ltr"


def test_a_trace_of_100_000_lines_is_whole_and_mostly_not_laid_out(tab: Browser) -> None:
    tab.ask_to_the_end(LINES)
    chunks = tab.page.locator(".trace .chunk")
    texts = chunks.all_text_contents()
    assert "".join(texts) == LINE * 100_000
    laid_out = chunks.evaluate_all(
        "(all) => all.map((chunk) => chunk.appendChild(document.createElement('i')))"
        ".filter((inside) => inside.checkVisibility({ contentVisibilityAuto: true })).length"
    )
    assert 0 < laid_out < len(texts) / 10


@pytest.mark.parametrize("place", ["300", "node.scrollHeight - node.clientHeight - 100"], ids=["a step", "no step yet"])
def test_what_one_reads_of_a_long_trace_stays_in_place_while_it_grows(tab: Browser, place: str) -> None:
    tab.ask(LONG)
    trace, steps = tab.page.locator(".trace"), tab.page.locator(".step")
    expect(steps.nth(1)).to_be_attached()
    before = trace.evaluate(
        f"(node) => {{ node.scrollTop = {place}; const {{ x, y }} = node.getBoundingClientRect();"
        " window.read = document.elementFromPoint(x + 60, y + 9).closest('.chunk');"
        " return read.getBoundingClientRect().top - y; }"
    )
    length = len(trace.text_content() or "")
    expect(tab.page.locator("#send")).to_have_text("Ask")
    after = "(node) => read.getBoundingClientRect().top - node.getBoundingClientRect().y"
    assert trace.evaluate(after) == pytest.approx(before, abs=2)
    assert len(trace.text_content() or "") > length
