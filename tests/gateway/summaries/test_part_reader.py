"""A part is split into its title and the line of its text, however it arrives and whether or not marks are written."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.summaries.part_reader import PartReader

SOME = settings(max_examples=min(60, settings().max_examples), deadline=None, database=None)


def read(deltas: Sequence[str]) -> tuple[str, str]:
    """Return the title and the text of a part that arrives in these deltas."""
    reader = PartReader()
    text = "".join(map(reader.feed, deltas)) + reader.close()
    return reader.title, text


PARTS = [
    ("**A title** Text. More.", "A title", "Text. More."),
    ("** A title: ** – Text.", "A title", "Text."),
    ("**A title**: -5 is the root.", "A title", "-5 is the root."),
    ("**A title**\nText.", "A title", "Text."),
    ("**A title** Text.\n- an item\n- another", "A title", "Text."),
    ("## **A title** Text.", "A title", "Text."),
    ("**六乘七** 等于四十二。", "六乘七", "等于四十二。"),
    ("Title\nText. More.", "Title", "Text. More."),
    ("## Heading:\n\n  Text.", "Heading", "Text."),
    ("**A title\nText.", "A title", "Text."),
    # The text goes on from the title.
    ("**社長の情報**は、公式サイトにあります。", "社長の情報", "社長の情報は、公式サイトにあります。"),
    ("**「一つ」**と「八つ」の意味は違います。", "「一つ」", "「一つ」と「八つ」の意味は違います。"),
    ("**歩数**を計算します。", "歩数", "歩数を計算します。"),
    ("**答え** はい、正しいです。", "答え", "はい、正しいです。"),
    ("**答え** ところが違います。", "答え", "ところが違います。"),
    ("**答え** と同時に終わります。", "答え", "と同時に終わります。"),
    ("**答え** は\n次の行", "答え", "は"),
    ("**答え**は", "", ""),
    # No title.
    ("Just one line of text.", "", "Just one line of text."),
    ("The answer is **42** here.", "", "The answer is **42** here."),
    ("one two three four five six seven eight nine ten eleven\nText.", "",
     "one two three four five six seven eight nine ten eleven"),
    ("**Only a title**", "", ""),
    ("**Only a title**\n\n", "", ""),
    ("****", "", ""),
    ("", "", ""),
    (" \n \n", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("whole", "title", "text"), PARTS)
def test_a_part_is_its_title_and_its_text_however_it_is_cut(whole: str, title: str, text: str) -> None:
    assert read([whole]) == (title, text)
    assert read(list(whole)) == (title, text)
    for cut in range(len(whole) + 1):
        assert read([whole[:cut], whole[cut:]]) == (title, text)


@SOME
@given(data=st.data(), whole=st.text(alphabet="ab *#.\n六は、", max_size=40))
def test_any_part_reads_the_same_however_it_is_cut(data: st.DataObject, whole: str) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert read(pieces) == read([whole])


def test_text_is_released_as_soon_as_the_title_is_known() -> None:
    reader = PartReader()
    released = [reader.feed(delta) for delta in ("**Ti", "tle", "**", " ", "Te", "xt", ". ", "More.\n", "- item")]
    assert released == ["", "", "", "", "Te", "xt", ". ", "More.", ""]
    assert (reader.title, reader.ended, reader.close()) == ("Title", True, "")


def test_a_beginning_that_is_too_long_for_a_title_is_text() -> None:
    assert read(["**" + "word " * 40]) == ("", "word " * 40)
