"""JSON with many values: as pydantic reads it, and what it refuses."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gateway.errors import InvalidRequest
from gateway.requests.chat_completions import ChatCompletionsRequest
from gateway.requests.large_json import MANY_VALUES, MAX_DEPTH, has_many_values, load

ANY = TypeAdapter(Any)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_a_value_is_read_as_pydantic_reads_it(value: Any, indent: int | None, escaped: bool) -> None:
    try:
        body = json.dumps(value, indent=indent, ensure_ascii=escaped).encode()
        expected = ANY.validate_json(body)
    except (UnicodeEncodeError, ValidationError):  # half of a surrogate pair
        return
    assert load(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" ", b"{", b"[1,", b"[1 2]", b'{"a" 1}', b"{1: 2}", b'"', b'"\\x"', b'"\n"', b"nul", b"01", b"[1]]"),
        *(b"\xff", b'"\xff"', b'"\\ud83d"', b"[" * MAX_DEPTH * 2, b'{"a":' * MAX_DEPTH * 2, b"[" * 1_000_000),
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
    ],
    ids=lambda body: body[:9],
)
def test_what_pydantic_refuses_is_refused(body: bytes) -> None:
    with pytest.raises(ValidationError):
        ANY.validate_json(body)
    with pytest.raises(ValueError, match=r"\w"):
        load(body)


def test_a_body_with_many_values_is_a_request_like_any_other() -> None:
    message = {"role": "user", "content": "Hello?"}
    body = json.dumps({"messages": [message], "x": [1] * MANY_VALUES}).encode()
    assert has_many_values(body)
    request = ChatCompletionsRequest.parse(body)
    assert request.chat() == {"messages": [message], "x": [1] * MANY_VALUES}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[" + b"1," * MANY_VALUES + b"1]", "Input should be an object"),
        (b'{"x": [' + b"1," * MANY_VALUES, "Invalid JSON: Expecting value"),
    ],
    ids=["a list", "cut"],
)
def test_a_body_with_many_values_is_refused_in_plain_words(body: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{message}"):
        ChatCompletionsRequest.parse(body)


def test_a_long_text_is_no_body_of_many_values() -> None:
    assert not has_many_values(json.dumps({"messages": [{"role": "user", "content": "x" * 8_000_000}]}).encode())


def test_a_text_with_many_escapes_is_a_text_like_any_other() -> None:
    text = 'é\n"\\' * MANY_VALUES
    body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
    assert has_many_values(body)
    assert load(body) == ANY.validate_json(body)
