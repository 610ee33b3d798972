"""Extracts: sentences of the text itself, and titles made from them."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.summaries.extractive import first_and_last, first_sentence, heading, last_sentence, title

SOME = settings(max_examples=min(60, settings().max_examples), deadline=None, database=None)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("", "", ""),
        (" \n\t ", "", ""),
        ("Hello there", "Hello there", "Hello there"),
        ("Hello there.", "Hello there.", "Hello there."),
        ("What is it? Tell me! Now.", "What is it?", "Now."),
        ("Really?! Yes.", "Really?!", "Yes."),
        ("Wait... What? Yes", "Wait...", "Yes"),
        ("It is 3.5 km away. Walk.", "It is 3.5 km away.", "Walk."),
        ("Use a.b.c() and go. Then stop", "Use a.b.c() and go.", "Then stop"),
        ("  One line\t of   text.\n\nTwo.  \n", "One line of text.", "Two."),
        ("今天天气很好。我们出去吧！", "今天天气很好。", "我们出去吧！"),
        ("六乘七是多少？请告诉我。谢谢", "六乘七是多少？", "谢谢"),
        ("他说：“好。”然后走了。", "他说：“好。”", "然后走了。"),
        ("真的吗？！是的。", "真的吗？！", "是的。"),
        ("答案是 3.14。完毕。", "答案是 3.14。", "完毕。"),
        ("Use 你好。Then stop.", "Use 你好。", "Then stop."),
    ],
)
def test_the_first_and_the_last_sentence(text: str, first: str, last: str) -> None:
    assert (first_sentence(text), last_sentence(text)) == (first, last)


@pytest.mark.parametrize("sentence", [first_sentence, last_sentence])
def test_a_long_sentence_is_cut_at_a_word_and_marked(sentence: Callable[[str, int], str]) -> None:
    assert sentence("one two three four five", 23) == "one two three four five"
    assert sentence("one two three four five", 17) == "one two three…"
    assert sentence("one two three four five.", 12) == "one two…"


@pytest.mark.parametrize("sentence", [first_sentence, last_sentence])
def test_a_long_word_is_cut_where_it_must_be(sentence: Callable[[str, int], str]) -> None:
    assert sentence("x" * 30, 20) == "x" * 20 + "…"
    assert sentence("六" * 30, 20) == "六" * 20 + "…"


def test_sentences_are_cut_past_200_characters() -> None:
    words = "word " * 100
    assert first_sentence(words) == "word " * 39 + "word…"
    assert first_sentence("x" * 200) == "x" * 200
    assert first_sentence("x" * 201) == "x" * 200 + "…"


def test_blank_text_around_a_sentence_does_not_hide_it() -> None:
    assert first_sentence("\n" * 2000 + "Hello there. Bye.") == "Hello there."
    assert last_sentence("Hello there. Bye." + "\n" * 2000) == "Bye."


@SOME
@given(text=st.text(alphabet="ab .!?\n。！", max_size=60), limit=st.integers(1, 20))
def test_an_extract_is_one_line_within_its_limit(text: str, limit: int) -> None:
    for extract in (first_sentence(text, limit), last_sentence(text, limit)):
        assert len(extract) <= limit + 1
        assert "\n" not in extract
        assert bool(extract) == bool(text.strip())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("...", ""),
        ("Hello there. Bye.", "Hello there"),
        ("So what now?!", "So what now"),
        ("one two three four five six seven eight.", "one two three four five six"),
        ("First, second: third; fourth, fifth, sixth, seventh", "First, second: third; fourth, fifth, sixth"),
        ("Okay:\nlet me see", "Okay"),
        ("Let us begin with this one, and go on", "Let us begin with this one"),
        ("今天天气很好。我们出去吧！", "今天天气很好"),
        ("六 乘 七 是 多 少 呢？", "六 乘 七 是 多 少"),
        ("我们需要计算 100.25 的平方根，然后再加上 12。", "我们需要计算 100.25 的平方根"),
        ("他今天出门，买了很多水果，然后回家。", "他今天出门，买了很多水果"),
        ("word " * 100, "word word word word word word"),
    ],
)
def test_a_title_is_the_first_words(text: str, expected: str) -> None:
    assert title(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Okay.", "Okay"),
        ("So it is. Yes.", "Yes"),
        (
            "Ships near the coast. They see lights. Lights guard ships near the coast. So 12.",
            "Lights guard ships near the coast",
        ),
        ("Fruit:\n1. Apples from Rome\n2. Figs and apples from Rome\n3. Plums", "Figs and apples from Rome"),
        ("好的，用户问天气。今天下雨。我们查看天气预报。所以天气好。", "我们查看天气预报"),
        ("It says:\n```\nsays(it)\n```\n- It says so.\n- No.", "It says so"),
        ("```python\na = b\n```", "a = b"),
    ],
)
def test_an_extract_is_headed_by_the_sentence_most_like_the_whole(text: str, expected: str) -> None:
    assert heading(text) == expected


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("One. Two. Three.", "One. Three."),
        ("One.", "One."),
        ("One. Two. One.", "One."),
        ("", ""),
        ("It does:\n1. One.\n12. Two.\nThree.", "It does: Three."),
        ("```python\na = 1.\n```\nOne.\n```\nb\n```\nThree.", "One. Three."),
        ("One.\n~~~\na.\nb.", "One."),
        ("```python\ndef a():\n    pass\n    return 1\n```\n", "def a(): return 1"),
        ("```\n```", ""),
    ],
)
def test_an_extract_is_the_first_and_the_last_sentence(text: str, ends: str) -> None:
    assert first_and_last(text) == ends


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("It costs 1,250 euros", 12, "It costs…"),
        ("一共需要1250元", 6, "一共需要…"),
        ("一共需要一千二百元", 6, "一共需要一千…"),
    ],
)
def test_a_cut_goes_through_no_number(text: str, limit: int, cut: str) -> None:
    assert first_sentence(text, limit) == cut
