"""Sentences of a summary leave whole, checked, and only so many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.summaries.sentence_gate import SentenceGate, SentenceLimit, Ungrounded


def wrong(sentence: str) -> list[str]:
    return [word for word in sentence.split() if word.startswith("bad")]


def passed(pieces: list[str], least: int = 0) -> tuple[list[str], str]:
    """What leaves, and how it ended."""
    sentences, left = SentenceGate(wrong, least), list[str]()
    try:
        for piece in pieces:
            left.append(sentences.feed(piece))
        left.append(sentences.close())
    except (SentenceLimit, Ungrounded) as end:
        return [text for text in left if text], type(end).__name__
    return [text for text in left if text], "end"


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
        (["", " \n"], [], "end"),
    ],
)
def test_what_leaves(pieces: list[str], left: list[str], end: str) -> None:
    assert passed(pieces) == (left, end)


@given(
    st.lists(st.sampled_from(["It is good. ", "bad1 ", "x", "。", "Two? ", "1. ", "\n"]), max_size=12),
    st.integers(1, 7),
)
def test_the_same_leaves_however_it_is_cut(written: list[str], size: int) -> None:
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
        ("It costs 3 euros. It costs no more.", 30, ("It costs 3 euros. It costs no more.", "end")),
        ("It costs 3 euros. It costs no more. Yes.", 50, ("", "Ungrounded")),
        ("It costs 3 euros. It costs", 20, ("", "Ungrounded")),
    ],
)
def test_a_summary_says_enough_and_nothing_twice(text: str, least: int, left: tuple[str, str]) -> None:
    pieces, end = passed(list(text), least)
    assert ("".join(pieces), end) == left
