"""The measures of how parts read: what a title must be, what is filler, debris, cut and repeated."""

import pytest

from bench.readability import MEASURES, has_debris, is_cut, is_filler, read, repeats, title_is_whole


@pytest.mark.parametrize(
    ("title", "step"),
    [
        ("Speed of the second train", ""),
        ("The answer is 4", "So the answer is 4, I think."),
        ("Checking the result", ""),
        ("Light both ends of rope A", ""),
        ("Rope B burns out", "Rope B burns out because it is short."),
        ("Ergebnis prüfen", ""),
        ("查找所有比较操作", ""),
        ("結果の確認", ""),
    ],
)
def test_a_title_that_stands_by_itself_is_whole(title: str, step: str) -> None:
    assert title_is_whole(title, step)


@pytest.mark.parametrize(
    ("title", "step"),
    [
        ("", ""),
        ("Okay", ""),
        ("If Dorothée a 4 amis, alors", ""),
        ("Because it is short", ""),
        ("And then we go", ""),
        ("The end of the", ""),
        ("Finding the area of", ""),
        ("The answer is", ""),
        ("It is 4", ""),
        ("The set (of all", ""),
        ('He says "no', ""),
        ("**Bold** title", ""),
        (r"Solving \frac{1}{2}", ""),
        ("One two three four five six seven eight nine", ""),
        ("Rope B has thirty", "Rope B has thirty minutes left."),
        ("如果用户输入", ""),
        ("查找所有比较操作的", ""),
        ("結果を", ""),
        ("我们" * 20, ""),
    ],
)
def test_a_title_that_is_cut_or_hangs_is_not_whole(title: str, step: str) -> None:
    assert not title_is_whole(title, step)


@pytest.mark.parametrize(
    "text", ["Wait, hold on.", "It is 4. Hmm, no.", "Let me check.", "等等，不对。", "Espera, no.", "Okay, so."]
)
def test_thinking_aloud_is_filler(text: str) -> None:
    assert is_filler("A title", text)


def test_what_is_thought_is_no_filler() -> None:
    assert not is_filler("The second rope", "The second rope has to wait. It lets me check 5 km.")


@pytest.mark.parametrize(
    "text", ["So **no**.", r"It is \frac12.", "It is $x+1$.", "# No.", "x^{2}", "`a`.", "[a](b).", "<b>no</b>."]
)
def test_markup_is_debris(text: str) -> None:
    assert has_debris("A title", text)


def test_plain_text_is_no_debris() -> None:
    assert not has_debris("It costs $5", "It costs $5, 3 * 4 and x² < 2^n for a_b.")


@pytest.mark.parametrize("text", ["", "So it", "So it goes…", "So it goes...", "So (it goes.", "..."])
def test_a_text_without_its_end_is_cut(text: str) -> None:
    assert is_cut(text)


@pytest.mark.parametrize("text", ["So it goes.", "他走了。", "यह ठीक है।", 'He said "no."'])
def test_a_text_with_its_end_is_not_cut(text: str) -> None:
    assert not is_cut(text)


def test_a_sentence_said_before_is_repeated() -> None:
    said: set[str] = set()
    assert not repeats("It is 4. It is 5.", said)
    assert repeats("Now more. It is 5!", said)
    assert repeats("Twice here. Twice here.", said)


def test_the_parts_of_a_summary_are_counted() -> None:
    parts = [
        ("A step.", "The second rope", "It has 30 minutes left."),
        ("A step.", "The second rope", "Wait, **no**."),
        ("A step.", "Checking the result", "It has 30 minutes left."),
        ("A step.", "Because of", "So it"),
    ]
    assert read(parts) == dict(zip(MEASURES, (3, 1, 1, 1, 1, 2), strict=True))
