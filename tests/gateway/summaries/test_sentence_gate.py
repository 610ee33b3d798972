"""Sentences of a summary are released whole, checked, and only so many."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.summaries.sentence_gate import SentenceGate, SentenceLimit, Ungrounded

SOME = settings(max_examples=min(60, settings().max_examples), deadline=None, database=None)


def wrong(sentence: str) -> list[str]:
    return [word for word in sentence.split() if word.startswith("bad")]


def passed(pieces: list[str], least: int = 0) -> tuple[list[str], str]:
    """Return the text released, and the reason for the end."""
    gate, released = SentenceGate(wrong, least), list[str]()
    try:
        for piece in pieces:
            released.append(gate.feed(piece))
        released.append(gate.close())
    except (SentenceLimit, Ungrounded) as end:
        return [text for text in released if text], type(end).__name__
    return [text for text in released if text], "end"


@pytest.mark.parametrize(
    ("pieces", "left", "end"),
    [
        (["It is good", ". It is", " fine."], ["It is good.", " It is fine."], "end"),
        (["It is 4.5 km. Then"], ["It is 4.5 km."], "end"),
        (["It is good.\nIt is fine."], ["It is good.", "\nIt is fine."], "end"),
        (["It is bad1. It is good."], [], "Ungrounded"),
        (["It is good. ", "It is bad1.", " More."], ["It is good."], "Ungrounded"),
        (["It is good. It is fine. Even", " more."], ["It is good. It is fine."], "SentenceLimit"),
        (["No end, and all there is"], ["No end, and all there is"], "end"),
        (["It is good. No end"], ["It is good."], "end"),
        (["等于四。", "所以是四。"], ["等于四。", "所以是四。"], "end"),
        (["他说：“好。”", "然后走了。"], ["他说：“好。”", "然后走了。"], "end"),
        (["यह ठीक है। वह", " भी ठीक है। और"], ["यह ठीक है।", " वह भी ठीक है।"], "SentenceLimit"),
        (["هل هذا صحيح؟ نعم هو", " صحيح"], ["هل هذا صحيح؟"], "end"),
        (["", " \n"], [], "end"),
    ],
)
def test_sentences_are_released_until_one_is_wrong(pieces: list[str], left: list[str], end: str) -> None:
    assert passed(pieces) == (left, end)


@pytest.mark.parametrize(
    ("text", "left", "end"),
    [
        ("It is good. It is", "It is good.", "end"),
        ("It is good. It is fine.", "It is good. It is fine.", "end"),
        ("It is good", "", "Ungrounded"),
        ("", "", "end"),
    ],
)
def test_a_first_sentence_that_was_cut_at_a_token_limit_is_not_released(text: str, left: str, end: str) -> None:
    gate, released, ended = SentenceGate(wrong), "", "end"
    try:
        released = gate.feed(text)
        released += gate.close(cut=True)
    except Ungrounded as error:
        ended = type(error).__name__
    assert (released, ended) == (left, end)


@given(
    st.lists(st.sampled_from(["It is good. ", "bad1 ", "x", "。", "Two? ", "1. ", "\n"]), max_size=12),
    st.integers(1, 7),
)
def test_the_same_text_is_released_however_it_is_cut(written: list[str], size: int) -> None:
    whole = "".join(written)
    cut = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert "".join(passed(cut)[0]) == "".join(passed([whole])[0])


@pytest.mark.parametrize(
    ("text", "least", "left"),
    [
        ("To Japan and back\nTo Japan and back\nTo Japan and back\n", 0, ("To Japan and back\n", "Ungrounded")),
        ("Selection sort\nMerge sort\nHeap sort", 0, ("Selection sort\nMerge sort\n", "SentenceLimit")),
        ("It costs 3 euros. It costs 3 euros. ", 0, ("It costs 3 euros.", "Ungrounded")),
        ("It costs 3 euros.", 17, ("It costs 3 euros.", "end")),
        ("It costs 3 euros.", 18, ("", "Ungrounded")),
        ("价格是三欧元。", 14, ("价格是三欧元。", "end")),
        ("价格是三欧元。", 15, ("", "Ungrounded")),
        ("It costs 3 euros. It costs no more.", 30, ("It costs 3 euros. It costs no more.", "end")),
        ("It costs 3 euros. It costs no more. Yes.", 50, ("", "Ungrounded")),
        ("It costs 3 euros. It costs", 20, ("", "Ungrounded")),
    ],
)
def test_a_short_or_repeated_summary_is_rejected(text: str, least: int, left: tuple[str, str]) -> None:
    pieces, end = passed(list(text), least)
    assert ("".join(pieces), end) == left
