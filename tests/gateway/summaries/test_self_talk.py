"""Self-talk is found by its beginning or its ending, in the languages of our wordings, and plain statements are not."""

import pytest

from gateway.summaries.self_talk import is_question, is_self_talk


@pytest.mark.parametrize(
    "sentence",
    [
        "I need to find the sum first.",
        "So, I'll check the sum again.",
        "Let me check this again: the sum is 7.",
        "**Let's** add them up.",
        "We need to find all operations.",
        "Okay, first, we should sort the list.",
        "We are asked to find the sum.",
        "Nous allons vérifier la somme.",
        "On nous demande la somme.",
        "Wir sollen die Summe finden.",
        "Se nos pide la suma.",
        "Ich muss die Summe prüfen.",
        "Zuerst lass mich rechnen.",
        "Je dois vérifier la somme.",
        "Donc j'ai la somme.",
        "Tengo que comprobar la suma.",
        "Vou verificar a soma.",
        "Eu preciso verificar a soma.",
        "Devo verificare la somma.",
        "Dobbiamo controllare la somma.",
        "Ik moet de som controleren.",
        "Мне нужно проверить сумму.",
        "我需要检查总和。",
        "首先，让我看看选项。",
        "我们需要检查总和。",
        "私は合計を確認する。",
        "저는 합계를 확인한다.",
        "しかし、別の角度から考えてみましょう。",
        "次に合計を確認してみよう。",
        "이제 합계를 계산해 봅시다.",
        "I rate this around 4 of 10.",
    ],
)
def test_self_talk_is_found(sentence: str) -> None:
    assert is_self_talk(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "I and II are true, III is not.",
        '"I need help" is the only clue.',
        "EU rules forbid it.",
        "IO is slower than the loop.",
        "Je mehr Wasser, desto länger kocht es.",
        "Option C fails, so I is left.",
        "Iron is heavier than we thought.",
        "In this course, we'll bake a pie.",
        "Letting go of the rope ends the test.",
        "We know from the proof that the sum is even.",
        "Wirkung und Ursache sind vertauscht.",
        "Jede Zahl ist gerade.",
        "Votos y escaños no coinciden.",
        "Ясно, что сумма чётная.",
        "我国人口在增长。",
        "我们的预算是300元。",
        "私立大学は二つある。",
        "「行きましょう」は誘いの言葉である。",
    ],
)
def test_a_plain_statement_is_no_self_talk(sentence: str) -> None:
    assert not is_self_talk(sentence)


def test_a_question_is_found_and_a_quoted_one_is_not() -> None:
    asked = ["Is it seven?", "是七吗？", "هل هي سبعة؟", "**Is it seven?**"]
    told = ['The question is "Is it seven?"', "「七ですか？」と聞く。", "It is seven.", "f(x)?y:z is a condition."]
    assert list(map(is_question, asked + told)) == [True] * 4 + [False] * 4
