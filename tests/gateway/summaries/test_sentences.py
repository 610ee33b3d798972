"""The borders of sentences in many scripts, the same however a text arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.summaries.sentences import clauses, ends, is_whole, sentences

TEXTS = [
    ("", []),
    (" \n\t ", []),
    ("No stop", ["No stop"]),
    ("What is it? Tell me! Now.", ["What is it?", "Tell me!", "Now."]),
    ("Really?! Yes.", ["Really?!", "Yes."]),
    ("Wait... what? Hmm... No", ["Wait... what?", "Hmm...", "No"]),
    ("It is 3.5 km away. Use a.b.c() and go.", ["It is 3.5 km away.", "Use a.b.c() and go."]),
    # Abbreviations, initials, ordinals, labels
    ("Dr. Smith paid 5 km vs. 3. So it is.", ["Dr. Smith paid 5 km vs. 3.", "So it is."]),
    (
        "J. R. R. Tolkien wrote it, e.g. here. Fig. 3 shows it.",
        ["J. R. R. Tolkien wrote it, e.g. here.", "Fig. 3 shows it."],
    ),
    ("Wait, no. No. 5 is left.", ["Wait, no.", "No. 5 is left."]),
    ("It takes 15 min. So 20 cm. That is etc. So.", ["It takes 15 min.", "So 20 cm.", "That is etc.", "So."]),
    ("Light Rope B. Now x equals n. Then 90 km/h. Go.", ["Light Rope B.", "Now x equals n.", "Then 90 km/h.", "Go."]),
    ("1. First one. More.\n2. Second", ["1. First one.", "More.", "2. Second"]),
    ("A. One, B. Two, C. Three. Next.", ["A. One, B. Two, C. Three.", "Next."]),
    (
        "Am 3. Mai war es, z. B. hier. Das ist Nr. 5. Ende.",
        ["Am 3. Mai war es, z. B. hier.", "Das ist Nr. 5.", "Ende."],
    ),
    ("El Sr. López vive aquí. Ven.", ["El Sr. López vive aquí.", "Ven."]),
    ("M. Dupont est là. Voilà.", ["M. Dupont est là.", "Voilà."]),
    ("Это т. е. пример. А. С. Пушкин писал.", ["Это т. е. пример.", "А. С. Пушкин писал."]),
    # Other marks
    ("यह एक वाक्य है। दूसरा।", ["यह एक वाक्य है।", "दूसरा।"]),
    ("یہ ایک جملہ ہے۔ دوسرا۔", ["یہ ایک جملہ ہے۔", "دوسرا۔"]),
    ("هل هذا صحيح؟ نعم.", ["هل هذا صحيح؟", "نعم."]),
    ("Սա մեկն է։ Երկրորդը։", ["Սա մեկն է։", "Երկրորդը։"]),
    ("ሰላም ነው። ሁለተኛ።", ["ሰላም ነው።", "ሁለተኛ።"]),
    ("这是第一句。第二句！是吗?好", ["这是第一句。", "第二句！", "是吗?", "好"]),
    ("他说：“好。”然后走了。", ["他说：“好。”", "然后走了。"]),
    ("ここは「はい。」と言った。次。", ["ここは「はい。」と言った。", "次。"]),
    ("答案是 3.14。Use 你好。Then stop.", ["答案是 3.14。", "Use 你好。", "Then stop."]),
    # Quotations, brackets, markup, lines
    ('He said "Hi." Then "So. It is." and left.', ['He said "Hi."', 'Then "So. It is." and left.']),
    ("It is (see there. Really.) so. Yes", ["It is (see there. Really.) so.", "Yes"]),
    ("An interval [0, 1) is it. Then more.", ["An interval [0, 1) is it.", "Then more."]),
    ("**Bold.** Then.", ["**Bold.**", "Then."]),
    ("One line\nand another", ["One line", "and another"]),
    ("A line that is as long as a margin lets lines be in the text\nand goes on. So.", None),
    ("A paragraph without a stop\n\nAnother", ["A paragraph without a stop", "Another"]),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_the_sentences_of_a_text(text: str, expected: list[str] | None) -> None:
    joined = [text.replace("\n", " ")[:-4], "So."]
    assert sentences(text) == (joined if expected is None else expected)


pieces = st.lists(
    st.sampled_from(["It is", "Dr", " 5", ". ", "...", "?", "\n", "。", "」", "と", ") ", '"', " X", "no", "b"])
)


@given(pieces.map("".join), st.integers(0, 60))
def test_an_end_that_is_told_early_stays(text: str, length: int) -> None:
    whole = list(ends(text))
    early = list(ends(text[:length], complete=False))
    assert early == whole[: len(early)]


@given(pieces.map("".join))
def test_clauses_are_the_text(text: str) -> None:
    assert "".join(clauses(text)) == text


@pytest.mark.parametrize(
    ("text", "whole"),
    [("So.", True), ("So.) ", True), ("**So?**", True), ("好。」", True), ("So", False), ("So:", False)],
)
def test_a_sentence_is_whole_with_its_end(text: str, whole: bool) -> None:
    assert is_whole(text) is whole
