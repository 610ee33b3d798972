"""The first words of a thinking: in the language of the message, or none."""

import pytest

from engine.harness.opening import opening_of


@pytest.mark.parametrize(
    ("message", "opening"),
    [
        ("Reply with OK.", "Let's see: "),
        ("How many days are there in three weeks and four days?", "Let's see: "),
        ("Why does this print [1, 1]?\n\ndef add(x, items=[]):\n    items.append(x)", "Let's see: "),
        ("Wie viele Minuten haben drei Stunden?", "Überlegen wir: "),
        ("Pourquoi le ciel est-il bleu ?", "Voyons : "),
        ("¿Por qué el cielo es azul?", "Veamos: "),
        ("Perché il cielo è blu?", "Vediamo: "),
        ("Por que o céu é azul?", "Vejamos: "),
        ("Waarom is de lucht blauw?", "Eens kijken: "),
        ("Dlaczego niebo jest niebieskie?", "Zastanówmy się: "),
        ("Почему небо голубое?", "Давайте подумаем: "),
        ("天空为什么是蓝色的？", "我们来想一想："),
        ("用 Python 写一个函数，计算列表中所有偶数的和。", "我们来想一想："),
        ("空はなぜ青いのですか。", "考えてみましょう。"),
        ("하늘은 왜 파란가요?", "생각해 봅시다. "),
        ("لماذا السماء زرقاء؟", "لنفكر: "),
        ("आसमान नीला क्यों है?", "आइए सोचें: "),
        ("Γιατί ο ουρανός είναι μπλε;", "Ας σκεφτούμε: "),
    ],
)
def test_the_opening_is_in_the_language_of_the_message(message: str, opening: str) -> None:
    first, *_ = message.splitlines()
    assert opening_of(message) == f'{opening}"{first}"\n'


@pytest.mark.parametrize(
    "message", ["2 + 2", "Hello!", "Varför är himlen blå?", "Чому небо блакитне і ясне?", "چ چرا آسمان آبی است؟"]
)
def test_a_language_that_cannot_be_told_has_none(message: str) -> None:
    assert opening_of(message) == f'"{message}"\n'


@pytest.mark.parametrize(
    ("message", "quoted"),
    [
        ("\nFix the code:\n\nx = 1", "Fix the code:"),
        ("the " * 100, "the " * 39 + "the …"),
        ("the" * 100, "the" * 53 + "t …"),
        ("A tank holds 3.5 l. I drain 1.2 l. How much is left? Give only the number.", "How much is left?"),
        ("Is it so? Why? Say it.", "Is it so?"),
        (f"The cat is on the mat. {'very ' * 40}long, is it?", "The cat is on the mat. " + "very " * 26 + "very …"),
        ("我有三个苹果。吃了一个，还剩几个？只给数字。", "吃了一个，还剩几个？"),
        (
            "What is `a ? b : c` in C, and why is it there?\n\nint x = a ? b : c;",
            "What is `a ? b : c` in C, and why is it there?",
        ),
    ],
)
def test_the_last_question_is_repeated_or_the_first_line_as_far_as_whole_words_fit(message: str, quoted: str) -> None:
    assert opening_of(message).partition('"')[2] == f'{quoted}"\n'


def test_of_nothing_nothing_is_repeated() -> None:
    assert opening_of(" \n") == ""
