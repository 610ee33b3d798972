"""Sealed reasoning in the bodies of both OpenAI routes, opened to text or left out."""

from typing import Any

import pytest

from gateway.requests.sealed import with_reasoning_opened

OURS, OF_ANOTHER_KEY, FOREIGN = "rg1.ours", "rg1.another", "gAAAAABpJv3m"
TEXT = {"type": "reasoning_text", "text": "Hm."}
SUMMARY = {"type": "summary_text", "text": "It thinks."}
ENTRY = {"type": "reasoning.summary", "summary": "It thinks.", "index": 0}


def open(sealed: str) -> str | None:
    return "Hm." if sealed == OURS else None


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", **fields}


def sealed_entry(data: Any) -> dict[str, Any]:
    return {"type": "reasoning.encrypted", "data": data, "index": 1}


@pytest.mark.parametrize(
    ("came", "opened"),
    [
        (item(summary=[], encrypted_content=OURS), item(summary=[], content=[TEXT])),
        (item(summary=[SUMMARY], encrypted_content=OURS), item(summary=[SUMMARY], content=[TEXT])),
        (item(content=None, encrypted_content=OURS), item(content=[TEXT])),
        (item(content=[], encrypted_content=OURS), item(content=[TEXT])),
        (item(content=[TEXT], encrypted_content=FOREIGN), item(content=[TEXT])),
        (item(summary=[SUMMARY], encrypted_content=FOREIGN), item(summary=[SUMMARY])),
        (item(summary=[], encrypted_content=OF_ANOTHER_KEY), item(summary=[])),
        (item(summary=[], encrypted_content=None), item(summary=[])),
        (item(summary=[], encrypted_content=""), item(summary=[])),
        (item(summary=[], encrypted_content=5), item(summary=[])),
        (item(summary=[SUMMARY]), item(summary=[SUMMARY])),
        ({"role": "user", "content": OURS}, {"role": "user", "content": OURS}),
        ({"type": "message", "encrypted_content": OURS}, {"type": "message", "encrypted_content": OURS}),
        ("text", "text"),
    ],
)
def test_sealed_content_of_a_reasoning_item_is_its_text(came: Any, opened: Any) -> None:
    body = {"model": "m", "input": [{"role": "user", "content": "?"}, came]}
    assert with_reasoning_opened(body, open) == {"model": "m", "input": [{"role": "user", "content": "?"}, opened]}


def turn(details: Any, **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "42.", "reasoning_details": details, **fields}


@pytest.mark.parametrize(
    ("came", "opened"),
    [
        (turn([sealed_entry(OURS)]), turn([], reasoning_content="Hm.")),
        (turn([ENTRY, sealed_entry(OURS)]), turn([ENTRY], reasoning_content="Hm.")),
        (turn([sealed_entry(OURS)], reasoning="It thinks."), turn([], reasoning="It thinks.", reasoning_content="Hm.")),
        (turn([sealed_entry(OURS)], reasoning_content="**Summary**"), turn([], reasoning_content="Hm.")),
        (turn([sealed_entry(OURS)], reasoning_content=""), turn([], reasoning_content="Hm.")),
        (turn([ENTRY, sealed_entry(OF_ANOTHER_KEY)]), turn([ENTRY])),
        *(
            (turn(details), turn(details))
            for details in ([ENTRY, sealed_entry(FOREIGN)], [sealed_entry(None), sealed_entry(5), "text"], "text", None)
        ),
    ],
)
def test_a_sealed_detail_of_a_turn_is_its_reasoning(came: Any, opened: Any) -> None:
    asks = {"role": "user", "content": "?"}
    assert with_reasoning_opened({"messages": [asks, came]}, open) == {"messages": [asks, opened]}


@pytest.mark.parametrize("body", [{}, {"input": "text"}, {"input": 5, "messages": {}}, {"messages": ["a", None]}])
def test_a_body_without_sealed_reasoning_stays_as_it_is(body: dict[str, Any]) -> None:
    assert with_reasoning_opened(body, open) == body
