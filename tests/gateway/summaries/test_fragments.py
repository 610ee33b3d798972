"""Sentences of which a piece is missing, beside whole ones that look a little like them."""

import pytest

from gateway.summaries.fragments import is_fragment


@pytest.mark.parametrize(
    "sentence",
    [
        "is generally recommended for long-term wealth building.",
        "The headache is likely a chronic/亚急性 condition.",
        "which means that the bridge is older.",
        "aber das Ergebnis bleibt gleich.",
        "The sum is as follows:",
        "商品代金の計算は以下の通りです：",
        "同じ物質や誘導と抑制の可能性について」",
        "この文は「数える」を「八つに示す。",
        'In the case of "" the result is empty.',
        "The change is 💰💰💰💰💰.",
        "S= (1/T) ln(Q)/N, S= ln Ω, S= k_B ln(4^N ).",
    ],
)
def test_a_missing_piece_is_found(sentence: str) -> None:
    assert is_fragment(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "It is generally recommended.",
        "The word 「サマる」 is slang for counting.",
        "The character “的” is a particle, and so is “了”.",
        "使用 subprocess.run 或 os.system 执行命令。",
        "get_user_profile_schema takes three validators.",
        "pandas reads the file in chunks.",
        "x is 5, so y is 7.",
        "x = 5 is odd.",
        "甲是5，乙是6，丙是7。",
        "D = 5.",
        "1) The first option is left: B.",
        "「サマる」は数えるという意味で「8つ」を示す。",
        "A) and B) are wrong.",
        "Ist das Seil halb so lang, brennt es 30 Minuten.",
    ],
)
def test_a_whole_sentence_is_none(sentence: str) -> None:
    assert not is_fragment(sentence)
