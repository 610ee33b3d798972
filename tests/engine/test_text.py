"""Tokens to text and stop strings: whatever the cutting, nothing is lost, doubled or held back in vain."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.text import Detokenizer, StopStrings
from tests.fakes.scripted_engine import encode

SOME = settings(max_examples=200, deadline=None, database=None)
READABLE = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), max_size=20)
FEW = st.text("abc", max_size=12)
STOPS = st.lists(st.text("abc", min_size=1, max_size=4), max_size=3)


def cut(whole: Sequence[Any], places: Sequence[int]) -> list[Any]:
    """`whole` in pieces, some of them empty."""
    ends = sorted({place % (len(whole) + 1) for place in places})
    return [whole[start:end] for start, end in zip([0, *ends], [*ends, len(whole)], strict=True)]


CUTS = st.lists(st.integers(min_value=0, max_value=1000), max_size=8)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("aé", ["a", "", "é"]),
        ("日本", ["", "", "日", "", "", "本"]),
        ("🙂!", ["", "", "", "🙂", "!"]),
    ],
)
def test_a_character_over_several_tokens_comes_whole(tokenizer: Any, text: str, pieces: list[str]) -> None:
    detokenizer = Detokenizer(tokenizer.backend_tokenizer)
    assert [detokenizer.feed([token]) for token in encode(tokenizer, text)] == pieces


def test_half_a_character_waits_for_the_next_tokens(tokenizer: Any) -> None:
    detokenizer = Detokenizer(tokenizer.backend_tokenizer)
    tokens = encode(tokenizer, "so 🙂🙂")
    assert [detokenizer.feed(tokens[:-6]), detokenizer.feed(tokens[-6:-1]), detokenizer.feed(tokens[-1:])] == [
        "so ",
        "🙂",
        "🙂",
    ]


def test_special_tokens_are_left_out(tokenizer: Any) -> None:
    detokenizer = Detokenizer(tokenizer.backend_tokenizer)
    assert (
        detokenizer.feed(encode(tokenizer, "<|im_start|>The answer<|im_end|> is<|endoftext|> 21")) == "The answer is 21"
    )


@SOME
@given(text=READABLE, cuts=CUTS)
def test_text_is_the_same_however_its_tokens_come(tokenizer: Any, text: str, cuts: list[int]) -> None:
    tokens, detokenizer = encode(tokenizer, text), Detokenizer(tokenizer.backend_tokenizer)
    pieces = [detokenizer.feed(batch) for batch in cut(tokens, cuts)]
    assert "".join(pieces) == tokenizer.decode(tokens)
    assert not any("\ufffd" in piece for piece in pieces)


@SOME
@given(tokens=st.lists(st.integers(min_value=0, max_value=300), max_size=30))
def test_any_tokens_at_all_give_the_text_that_they_have_together(tokenizer: Any, tokens: list[int]) -> None:
    detokenizer = Detokenizer(tokenizer.backend_tokenizer)
    text = "".join(detokenizer.feed([token]) for token in tokens)
    whole = tokenizer.backend_tokenizer.decode(tokens, skip_special_tokens=True)
    assert whole.startswith(text)
    assert set(whole[len(text) :]) <= {"\ufffd"}


@pytest.mark.parametrize(
    ("stops", "pieces", "passed", "left"),
    [
        ([], ["any", "thing"], ["any", "thing"], ""),
        (["END"], ["no such", " word"], ["no such", " word"], ""),
        (["END"], ["one END two"], ["one "], None),
        (["END"], ["one ", "E", "N", "D", " two"], ["one ", "", "", "", ""], None),
        (["END"], ["EN", "ENEN", "D"], ["", "ENEN", ""], None),
        (["END"], ["one EN"], ["one "], "EN"),
        (["END"], ["EN", "X"], ["", "ENX"], ""),
        (["\n\n", "END"], ["a\n", "b EN", "D"], ["a", "\nb ", ""], None),
        (["END", "\n\n"], ["a E", "\n", "\nEND"], ["a ", "E", ""], None),
        (["aab"], ["aa", "a", "ab"], ["", "a", "a"], None),
        (["abcd", "bce"], ["abc", "e"], ["", "a"], None),
        (["abcd", "bc"], ["abcd"], ["a"], None),
        (["abcd", "bc"], ["a", "b", "c", "d"], ["", "", "a", ""], None),
        (["bc", "abc"], ["abc"], [""], None),
    ],
)
def test_stop_strings(stops: list[str], pieces: list[str], passed: list[str], left: str | None) -> None:
    """`left` is what `close` gives, None where a stop string was found."""
    stop = StopStrings(stops)
    assert [stop.feed(piece) for piece in pieces] == passed
    assert stop.found is (left is None)
    assert [stop.close(), stop.close()] == [left or "", ""]


@SOME
@given(stops=STOPS, text=FEW, cuts=CUTS)
def test_any_cutting_stops_where_the_whole_text_does(stops: list[str], text: str, cuts: list[int]) -> None:
    ends = [(place + len(stop), place) for stop in stops for place in [text.find(stop)] if place >= 0]
    stop = StopStrings(stops)
    passed = "".join(stop.feed(piece) for piece in cut(text, cuts)) + stop.close()
    assert (passed, stop.found) == (text[: min(ends)[1]] if ends else text, bool(ends))


@SOME
@given(stops=STOPS, text=FEW, cuts=CUTS)
def test_only_what_may_become_a_stop_string_is_held_back(stops: list[str], text: str, cuts: list[int]) -> None:
    stop, fed, passed = StopStrings(stops), "", ""
    beginnings = {known[:size] for known in stops for size in range(1, len(known))}
    for piece in cut(text, cuts):
        fed += piece
        passed += stop.feed(piece)
        if stop.found:
            break
        held = max((fed[at:] for at in range(len(fed)) if fed[at:] in beginnings), key=len, default="")
        assert passed + held == fed
