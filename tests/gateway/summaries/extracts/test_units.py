"""Openings of sentences: what says nothing is dropped, what changes the meaning of the rest is not."""

import pytest

from gateway.summaries.extracts.tongues import lexicon
from gateway.summaries.extracts.units import without_filler


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "No fever was found."),
        ("en", "Second derivative is negative."),
        ("en", "First term is 3."),
        ("en", "Step 3 is wrong."),
        ("en", "Well-known results hold."),
        ("en", "Right triangles have one such angle."),
        ("en", "Still functional."),
        ("en", "Maybe the answer is 5."),
        ("en", "Perhaps, he is her brother."),
        ("en", "It seems that A is wrong."),
        ("en", "So many cases are left."),
        ("en", "Now that x is 5, y is 6."),
        ("de", "Nein sagt nur der Dritte."),
        ("de", "Also ist A falsch."),
        ("de", "Vielleicht ist A falsch."),
        ("es", "No hay solución."),
        ("es", "Quizás hay solución."),
        ("fr", "Non seulement A est fausse."),
        ("fr", "Bien que x soit 5, y est 6."),
        ("fr", "Peut-être que A est fausse."),
        ("it", "No esiste soluzione."),
        ("pt", "Não há solução."),
        ("nl", "Dus is A onjuist."),
        ("ru", "Нет решений."),
        ("ru", "Возможно, A неверно."),
        ("zh", "好坏参半。"),
        ("zh", "那些鸟会飞。"),
        ("zh", "可能是A。"),
        ("zh", "假设A会飞。"),
        ("ja", "今日は晴れです。"),
        ("ja", "または5です。"),
        ("ko", "아마 A가 맞다."),
    ],
)
def test_an_opening_that_changes_the_meaning_stays(language: str, sentence: str) -> None:
    assert without_filler(sentence, lexicon(language)) == sentence


@pytest.mark.parametrize(
    ("language", "sentence", "rest"),
    [
        ("en", "No, that is wrong.", "That is wrong."),
        ("en", "No. Wait, that is wrong.", "That is wrong."),
        ("en", "Second, the bus is late.", "The bus is late."),
        ("en", "Step 3: the bus is late.", "The bus is late."),
        ("en", "Well, so the bus is late.", "The bus is late."),
        ("en", "Right — the bus is late.", "The bus is late."),
        ("de", "Nein, das ist falsch.", "Das ist falsch."),
        ("de", "Aber das ist falsch.", "Das ist falsch."),
        ("es", "No, eso es falso.", "Eso es falso."),
        ("fr", "Non, la réponse est fausse.", "La réponse est fausse."),
        ("ru", "Нет, это пять.", "Это пять."),
        ("zh", "不，这不对。", "这不对。"),
        ("zh", "最后，得到5。", "得到5。"),
        ("ja", "いや、5です。", "5です。"),
        ("en", "No.", ""),
    ],
)
def test_an_opening_that_says_nothing_is_dropped(language: str, sentence: str, rest: str) -> None:
    assert without_filler(sentence, lexicon(language)) == rest
