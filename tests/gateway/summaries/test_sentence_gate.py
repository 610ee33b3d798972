"""Sentences of a summary are released whole, checked, and only so many; the title of a part is split off."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.summaries.sentence_gate import PartReader, SentenceGate, SentenceLimit, Ungrounded

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
        ("It costs 3 euros. It costs no more.", 30, ("It costs 3 euros. It costs no more.", "end")),
        ("It costs 3 euros. It costs no more. Yes.", 50, ("", "Ungrounded")),
        ("It costs 3 euros. It costs", 20, ("", "Ungrounded")),
    ],
)
def test_a_short_or_repeated_summary_is_rejected(text: str, least: int, left: tuple[str, str]) -> None:
    pieces, end = passed(list(text), least)
    assert ("".join(pieces), end) == left


def read(deltas: Sequence[str]) -> tuple[str, str]:
    """Return the title and the text of a part that arrives in these deltas."""
    reader = PartReader()
    text = "".join(map(reader.feed, deltas)) + reader.close()
    return reader.title, text


PARTS = [
    ("Title\nText. More.", "Title", "Text. More."),
    ("Title\n\n  Text.\nMore.", "Title", "Text.\nMore."),
    ("**A bold title**\nText.", "A bold title", "Text."),
    ("## Heading:\nText.", "Heading", "Text."),
    ("A title.\nText.", "A title", "Text."),
    ("one two three four five six\nText.", "one two three four five six", "Text."),
    ("one two three four five six seven eight\nText.", "one two three four five six seven eight", "Text."),
    ("六乘七\n等于四十二。", "六乘七", "等于四十二。"),
    # No title: the first line is the text, or begins it.
    ("Just one line of text.", "", "Just one line of text."),
    ("Just one line of text.\n", "", "Just one line of text."),
    ("\nTitle\nText.", "", "Title\nText."),
    ("***\nText.", "", "Text."),
    (
        "one two three four five six seven eight nine\nText.",
        "",
        "one two three four five six seven eight nine Text.",
    ),
    (
        "This first line is much too long for it.\nText. And more.",
        "",
        "This first line is much too long for it. Text. And more.",
    ),
    (
        "This first line is much too long for it.\n\nText. And more.",
        "",
        "This first line is much too long for it. Text. And more.",
    ),
    ("", "", ""),
    (" \n \n", "", ""),
]


@pytest.mark.parametrize(("whole", "title", "text"), PARTS)
def test_a_part_is_its_title_and_its_text_however_it_is_cut(whole: str, title: str, text: str) -> None:
    assert read([whole]) == (title, text)
    assert read(list(whole)) == (title, text)
    for cut in range(len(whole) + 1):
        for second in range(cut, len(whole) + 1):
            assert read([whole[:cut], whole[cut:second], whole[second:]]) == (title, text)


@SOME
@given(data=st.data(), whole=st.text(alphabet="ab *#.\n六", max_size=40))
def test_any_part_reads_the_same_however_it_is_cut(data: st.DataObject, whole: str) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert read(pieces) == read([whole])


def test_text_is_released_as_soon_as_the_title_is_known() -> None:
    reader = PartReader()
    released = [reader.feed(delta) for delta in ("Ti", "tle", "\n", "\n", "Te", "xt", ". ", "More.\n")]
    assert released == ["", "", "", "", "Te", "xt", ". ", "More.\n"]
    assert (reader.title, reader.close()) == ("Title", "")
