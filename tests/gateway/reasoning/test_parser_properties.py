"""The parser agrees with a simple reference parser, for any text, any cut into chunks and every format.

The reference parser sees the whole text at once and turns every character into a token, so it can lose nothing but
markers and the newlines around them.
"""

from dataclasses import dataclass
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.events import Usage
from gateway.reasoning import ReasoningParser, Segment
from gateway.reasoning.answer import AnswerParser
from gateway.reasoning.formats import FORMATS, Format
from gateway.reasoning.states import LONGEST_BLANK, LONGEST_HEADER, Header, Kind, State
from gateway.upstream import Finished, Text, UpstreamItem

HEADERS = [
    "<|message|>",
    "analysis",
    "final",
    "commentary",
    " to=functions.f",
    " to=self",
    " to=user",
    "assistant",
]
FEW_EXAMPLES = settings(max_examples=min(40, settings().max_examples), deadline=None, database=None)


@dataclass
class Token:
    kind: Kind
    text: str
    marker: bool = False
    keep: bool = True


def markers(format: Format) -> list[str]:
    states = [state for state in format.states.values() if isinstance(state, State)]
    texts = {marker for state in states for marker in (*state.markers, *state.line_markers)}
    headers = any(isinstance(state, Header) for state in format.states.values())
    return sorted(texts or {"<think>"}) + (HEADERS if headers else [])


def outputs(format: Format) -> st.SearchStrategy[str]:
    known = st.sampled_from(markers(format))
    begun = st.sampled_from([marker[:cut] for marker in markers(format) for cut in range(1, len(marker))])
    plain = st.sampled_from(
        ["\n", "\n\n", " ", "\t\n", "a", "`<think>`", "<", "|>", "é", "思考", "\U0001f9e0", "\r\n", "x" * 300]
    )
    return st.lists(st.one_of(known, begun, plain, st.text(max_size=5)), max_size=14).map("".join)


OUTPUTS = {name: outputs(format) for name, format in FORMATS.items()}


def marker_at(state: State, text: str, at: int) -> str | None:
    """Return the marker of the state that stands at `at`, if it counts there."""
    if found := next((m for m in state.markers if text.startswith(m, at)), None):
        return found
    begins_line = at > 0 and text[at - 1] == "\n"
    return next((m for m in state.line_markers if begins_line and text.startswith(m, at)), None)


def reference_tokens(format: Format, inside: bool, text: str) -> list[Token]:
    """Parse as the reference does: one token for each character, and one for each marker."""
    found: list[Token] = []
    state = format.states[format.inside if inside else format.outside]
    at = blank = 0
    while at < len(text):
        if isinstance(state, Header):
            end = text.find(state.end, at, at + LONGEST_HEADER) + len(state.end)
            marker = text[at:end] if end >= len(state.end) else None
        else:
            marker = marker_at(state, text, at)
        if marker is not None:
            rule = state.rule(marker)
            state = format.states[rule.to]
            if not isinstance(state, Header):
                del found[len(found) - blank :]
                found.append(Token(state.kind, marker, marker=True, keep=rule.keep))
                at += len(marker)
                blank = 0
            continue
        if isinstance(state, Header) or (state.fallback is not None and not text[at].isspace()):
            header = isinstance(state, Header)
            state = format.states[state.fallback or "response"]
            blank = 0
            if not header:
                continue
        found.append(Token(state.kind, text[at]))
        blank = blank + 1 if isinstance(state, State) and state.fallback is not None else 0
        at += 1
    return found


def reference_segments(found: list[Token], after_marker: bool) -> list[Segment]:
    """Drop markers that are not kept, newlines directly after those, and newlines directly before any marker."""
    kept: list[Token] = []
    newlines: list[Token] = []
    for token in found:
        if token.marker:
            newlines = []
            after_marker = not token.keep
        elif token.text == "\n":
            newlines += [] if after_marker else [token]
            continue
        else:
            after_marker = False
        # Newlines have the kind of the text after them: the state may change in between.
        kept += [Token(token.kind, "\n") for _ in newlines]
        kept += [token] if token.keep else []
        newlines = []
    last = [Token(found[-1].kind, "\n") for _ in newlines]
    runs = groupby(kept + last, key=lambda token: token.kind)
    return [Segment(kind, "".join(token.text for token in run)) for kind, run in runs]


def parsed(format: Format, starts_inside: bool | None, chunks: list[str]) -> list[Segment]:
    parser = ReasoningParser(format, starts_inside)
    segments: list[Segment] = []
    for chunk in chunks:
        fed = parser.feed(chunk)
        assert all(segment.text for segment in fed)
        assert all(one.kind != other.kind for one, other in pairwise(fed))
        segments += fed
    segments += parser.close()
    runs = groupby(segments, key=lambda segment: segment.kind)
    return [Segment(kind, "".join(segment.text for segment in run)) for kind, run in runs]


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
@FEW_EXAMPLES
@given(data=st.data())
def test_any_cut_gives_the_segments_of_the_reference_parser(format: Format, data: st.DataObject) -> None:
    text = data.draw(OUTPUTS[format.name])
    starts_inside = data.draw(st.sampled_from([None, True, False]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    inside = format.starts_inside if starts_inside is None else starts_inside
    first = format.states[format.inside if inside else format.outside]
    expected = reference_segments(reference_tokens(format, inside, text), first.kind == "reasoning") if text else []
    chunks = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert parsed(format, starts_inside, [text]) == expected
    assert parsed(format, starts_inside, list(text)) == expected
    assert parsed(format, starts_inside, chunks) == expected


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
@FEW_EXAMPLES
@given(data=st.data())
def test_the_text_held_back_is_shorter_than_the_longest_marker(format: Format, data: st.DataObject) -> None:
    text = data.draw(OUTPUTS[format.name])
    headers = any(isinstance(state, Header) for state in format.states.values())
    longest = LONGEST_HEADER if headers else max(map(len, markers(format)))
    parser = ReasoningParser(format)
    parser.feed(text)
    held = "".join(segment.text for segment in parser.close())
    assert len(held.lstrip()) < longest


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
@FEW_EXAMPLES
@given(text=st.text(st.sampled_from("\n\r a>]:|é思\U0001f9e0"), min_size=1, max_size=30))
def test_text_without_markers_is_kept_unchanged(format: Format, text: str) -> None:
    assert "".join(segment.text for segment in parsed(format, False, [text])) == text


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("starts_inside", [True, False])
@pytest.mark.parametrize("size", [LONGEST_BLANK - 1, LONGEST_BLANK, LONGEST_BLANK + 1, 3 * LONGEST_BLANK])
def test_a_long_run_of_blank_text_is_cut_alike_and_not_held_back_for_ever(
    format: Format, starts_inside: bool, size: int
) -> None:
    text = " " * size + markers(format)[0] + "a\n" + markers(format)[-1] + "b"
    parser = ReasoningParser(format, starts_inside)
    parser.feed(" " * size)
    # One more may be the beginning of a marker: that of a header begins with a space.
    assert sum(len(segment.text) for segment in parser.close()) <= LONGEST_BLANK + 1
    whole = parsed(format, starts_inside, [text])
    assert parsed(format, starts_inside, list(text)) == whole
    assert parsed(format, starts_inside, [text[at : at + 1000] for at in range(0, len(text), 1000)]) == whole


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
@FEW_EXAMPLES
@given(data=st.data())
def test_nothing_is_lost_but_markers_and_blank_text_beside_them(format: Format, data: st.DataObject) -> None:
    text = data.draw(OUTPUTS[format.name])
    starts_inside = data.draw(st.booleans())
    kept = "".join(token.text for token in reference_tokens(format, starts_inside, text) if token.keep)
    segments = parsed(format, starts_inside, [text])
    assert without_blanks("".join(segment.text for segment in segments)) == without_blanks(kept)


def without_blanks(text: str) -> str:
    return "".join(text.split())


PIECES = ["\n", " ", "<think>", "</think>", "a", "b ", "<thi", "nk>"]


@FEW_EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("format", ["qwen3", "auto", "none", "gpt_oss", "mistral"])
@pytest.mark.parametrize("starts_inside", [True, False])
def test_any_cut_beside_a_field_gives_the_same_answer(format: str, starts_inside: bool, data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), min_size=1, max_size=4))
    fields = [data.draw(st.sampled_from(["", "a", "b ", "\n"])) for _ in texts]

    def answer(cut: bool) -> list[tuple[str, str]]:
        parser = AnswerParser(ReasoningParser(format, starts_inside))
        items: list[UpstreamItem] = []
        for text, field in zip(texts, fields, strict=True):
            items += [Text(piece) for piece in (text if cut else [text]) if piece]
            items += [Segment("reasoning", field)] if field else []
        items.append(Finished(finish_reason="stop", usage=Usage()))
        out = [parsed for item in items for parsed in parser.feed([item])] if cut else parser.feed(items)
        runs = groupby((item for item in out if isinstance(item, Segment)), key=lambda segment: segment.kind)
        return [(kind, "".join(segment.text for segment in run)) for kind, run in runs]

    assert answer(cut=True) == answer(cut=False)
