"""The life of a question on the page: asked, watched, stopped, cut, lost by a reload, failed, taken away."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.fakes.browser import Browser
from tests.fakes.cutting_proxy import cutting_proxy
from tests.fakes.page_api import CALL, CUT, KEY, PARAGRAPHS, PRIME, REFUSED, RESPONSE, STALLED, TRACE, PageApi

STRETCHES = "[...document.querySelectorAll('.stretch .text')].map((stretch) => stretch.textContent)"


def test_a_question_is_answered_with_its_steps_and_its_trace(tab: Browser) -> None:
    tab.ask_to_the_end(PRIME)
    assert tab.texts(".question") == [PRIME]
    assert tab.texts(".understood p") != [""]
    titles = tab.texts(".step .title")
    assert len(titles) > 1 and all(titles)
    assert tab.page.evaluate("document.querySelector('.trace').textContent.includes('semiprime')")
    assert tab.texts(".markdown strong") == ["No."]
    assert tab.texts(".markdown td") == ["7", "yes"]
    assert tab.page.locator(".markdown math").count() == 1
    assert tab.texts(".markdown pre") == ["print(91 % 7)\n"]
    assert "tokens" in tab.texts(".turn footer .figures")[0]
    assert tab.texts(".headline")[0].startswith("Thought for ")
    assert tab.hosts == {urlsplit(tab.page.url).netloc}


def test_the_stretches_are_the_trace_by_code_points(tab: Browser) -> None:
    tab.ask_to_the_end(PRIME)
    stretches = tab.page.evaluate(STRETCHES)
    assert "".join(stretches) == TRACE
    assert stretches[1].lstrip().startswith(tuple(sentence[:12] for sentence in TRACE.replace("\n", " ").split(". ")))


def test_a_step_and_its_stretch_light_each_other(tab: Browser) -> None:
    tab.ask_to_the_end(PRIME)
    lit = "[...document.querySelectorAll('.lit')].map((node) => `${node.classList[0]} ${node.dataset.index}`)"
    tab.page.locator(".step").nth(1).hover()
    assert tab.page.evaluate(lit) == ["step 1", "stretch 1"]
    tab.page.locator(".stretch .text").nth(0).hover(position={"x": 5, "y": 5})
    assert tab.page.evaluate(lit) == ["step 0", "stretch 0"]
    tab.page.locator("#question").hover()
    assert tab.page.evaluate(lit) == []
    tab.page.locator(".step .title").nth(1).focus()
    assert tab.page.evaluate(lit) == ["step 1", "stretch 1"]


def test_a_stretch_is_folded_by_the_keyboard(tab: Browser) -> None:
    tab.ask_to_the_end(PRIME)
    text = tab.page.locator(".stretch .text").first
    gutter = tab.page.locator(".gutter").first
    for expanded in ("false", "true"):
        gutter.press("Enter")
        expect(gutter).to_have_attribute("aria-expanded", expanded)
        assert text.is_visible() is (expanded == "true")


def test_a_conversation_goes_on(tab: Browser, api: PageApi) -> None:
    tab.ask_to_the_end(PRIME)
    tab.page.locator("#budget").select_option("0")
    tab.page.locator("#order").select_option("eager")
    tab.ask_to_the_end("And 97?")
    asked = next(request.body for request in reversed(api.requests) if request.body["model"] == "deepseek-r1")
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant", "user"]
    assert [asked["messages"][n]["content"] for n in (0, 1, 2)] == [PRIME, RESPONSE, "And 97?"]


def test_a_stop_reaches_the_model_and_keeps_what_came(tab: Browser, api: PageApi) -> None:
    api.closed_by_client.clear()
    tab.ask(STALLED)
    expect(tab.page.locator(".trace")).to_contain_text("semiprime")
    tab.page.locator("#send").click()
    expect(tab.page.locator(".note")).to_contain_text("Stopped.")
    expect(tab.page.locator("#send")).to_have_text("Ask")
    assert "semiprime" in tab.texts(".trace")[0]
    while not api.closed_by_client.is_set():  # until the test's own deadline
        tab.page.wait_for_timeout(50)


def test_a_reload_in_mid_stream_keeps_what_came_and_offers_to_ask_again(tab: Browser) -> None:
    tab.ask(STALLED)
    expect(tab.page.locator(".trace")).to_contain_text("semiprime")
    steps = tab.page.locator(".step .title")
    expect(steps.first).to_be_visible()
    titles = steps.all_inner_texts()
    tab.page.reload()
    expect(tab.page.locator(".note")).to_contain_text("The connection was lost")
    assert tab.texts(".question") == [STALLED]
    assert tab.texts(".step .title")[: len(titles)] == titles
    assert "semiprime" in tab.texts(".trace")[0]
    tab.page.locator(".again").click()
    expect(tab.page.locator("#send")).to_have_text("Stop")
    assert tab.page.locator(".turn").count() == 1


def test_a_connection_that_is_cut_says_so_and_a_gateway_that_is_gone(browser: object, url: str) -> None:
    parts = urlsplit(url)
    with (
        cutting_proxy(parts.port or 80) as proxy,
        Browser.open(browser, f"http://127.0.0.1:{proxy.port}{parts.path}") as tab,
    ):
        tab.ask(STALLED)
        expect(tab.page.locator(".trace")).to_contain_text("semiprime")
        proxy.cut()
        expect(tab.page.locator(".note.problem")).to_contain_text("The connection was lost")
        assert tab.page.locator(".again").count() == 1
        proxy.close()
        tab.page.locator(".again").click()
        expect(tab.page.locator(".note.problem")).to_contain_text("The gateway cannot be reached")
        assert tab.problems == []


def test_a_failure_of_the_model_keeps_what_came(tab: Browser) -> None:
    tab.ask_to_the_end(CUT)
    expect(tab.page.locator(".note.problem")).to_contain_text("The model failed.")
    assert PARAGRAPHS[0][:40] in tab.texts(".trace")[0]
    assert tab.page.get_by_role("alert").filter(has_text="The model failed.").count() == 1
    tab.page.reload()
    expect(tab.page.locator(".note.problem")).to_contain_text("The model failed.")
    assert tab.page.locator(".note.problem").count() == 1


def test_a_refusal_is_in_the_words_of_who_refused(tab: Browser) -> None:
    tab.ask_to_the_end(REFUSED)
    expect(tab.page.locator(".note.problem")).to_contain_text("The request was refused.")
    expect(tab.page.locator(".note.problem")).to_contain_text("no pictures, please")


def test_a_headline_is_the_status_until_the_answer_begins(tab: Browser) -> None:
    part = {"index": 0, "title": "Looking", "text": "Text.", "span": {"start": 0, "end": 3}, "written_by": "model"}
    events: list[dict[str, Any]] = [
        {"type": "reasoning.delta", "delta": "Hm."},
        {"type": "reasoning_summary.headline", "index": 0, "text": "Trying seven", "characters": 3, "seconds": 0.1},
        {"type": "reasoning_summary.part", **part},
        {"type": "response.delta", "delta": "No."},
    ]
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    tab.page.route("**/v1/reasoning", lambda route: route.fulfill(content_type="text/event-stream", body=body))
    tab.page.evaluate(
        "window.said = []; const { get, set } = Object.getOwnPropertyDescriptor(Node.prototype, 'textContent');"
        "Object.defineProperty(Node.prototype, 'textContent', { get, set(text) { set.call(this, text);"
        " if (this.className === 'headline') said.push(text); } })"
    )
    tab.ask_to_the_end(PRIME)
    lost = "The connection was lost before the answer was complete."
    assert tab.page.evaluate("said") == ["Thinking", "Trying seven", "Answering", lost]


def test_a_tool_call_is_shown(tab: Browser) -> None:
    tab.ask_to_the_end(CALL)
    expect(tab.page.locator(".tool")).to_contain_text("weather")
    expect(tab.page.locator(".tool pre")).to_have_text('{\n  "city": "Oslo"\n}')


def test_a_picture_is_sent_with_the_question(tab: Browser, api: PageApi) -> None:
    tab.page.evaluate(
        "const data = new DataTransfer();"
        "data.items.add(new File([new Uint8Array([1])], 'a.png', {type: 'image/png'}));"
        "document.dispatchEvent(new DragEvent('drop', {dataTransfer: data, cancelable: true}))"
    )
    expect(tab.page.locator("#pictures img")).to_have_attribute("alt", "Picture a.png")
    tab.ask_to_the_end(PRIME)
    asked = next(request.body for request in reversed(api.requests) if request.body["model"] == "deepseek-r1")
    url = "data:image/png;base64,AQ=="
    picture = {"type": "image_url", "image_url": {"url": url}}
    assert asked["messages"][-1]["content"] == [{"type": "text", "text": PRIME}, picture]


def test_a_turn_is_taken_away_as_markdown_and_as_events(tab: Browser) -> None:
    tab.ask_to_the_end(PRIME)
    texts = []
    for name in ("Save as Markdown", "Save events"):
        with tab.page.expect_download() as download:
            tab.page.get_by_role("button", name=name).click()
        texts.append(Path(download.value.path()).read_text("utf-8"))
    assert texts[0].startswith(f"# {PRIME}\n") and TRACE in texts[0] and texts[0].endswith(f"{RESPONSE}\n")
    events = [json.loads(line) for line in texts[1].splitlines()]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert "".join(event["delta"] for event in events if event["type"] == "response.delta") == RESPONSE


def test_raw_shows_what_was_sent_beside_the_events(tab: Browser) -> None:
    tab.ask_to_the_end(PRIME)
    raw = tab.page.get_by_role("button", name="As raw")
    raw.click()
    expect(raw).to_have_attribute("aria-pressed", "true")
    texts = tab.page.evaluate("[...document.querySelectorAll('.raw-text')].map((pane) => pane.textContent)")
    assert texts[0] == f"<think>\n{TRACE}\n</think>\n\n{RESPONSE}"
    assert texts[1].startswith('{"type":"stream.started"')


def test_a_gateway_with_keys_asks_for_one_and_refuses_a_wrong_one(browser: object, keyed_url: str) -> None:
    with Browser.open(browser, keyed_url) as tab:
        dialog = tab.page.locator("#key")
        expect(dialog).to_be_visible()
        tab.page.locator("#key-value").fill("wrong")
        tab.page.locator("#key-value").press("Enter")
        expect(tab.page.locator("#key-problem")).to_have_text("The gateway does not know this key.")
        tab.page.locator("#key-value").fill(KEY)
        tab.page.locator("#key-value").press("Enter")
        expect(dialog).to_be_hidden()
        tab.ask_to_the_end(PRIME)
        assert tab.texts(".markdown strong") == ["No."]
        assert tab.page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
        tab.page.reload()
        expect(tab.page.locator("#model option").first).to_have_text("deepseek-r1")
        assert tab.problems == []
