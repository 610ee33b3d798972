"""A text's language, where a few words or its script give it away."""

import pytest

from gateway.summaries.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How many days are there in three weeks?", "en"),
        ("Plan a trip", "en"),
        ("Wie viele Tage haben drei Wochen?", "de"),
        ("¿Cuántos días hay en tres semanas?", "es"),
        ("Combien de jours y a-t-il dans trois semaines ?", "fr"),
        ("Quanti giorni ci sono in tre settimane?", "it"),
        ("Quantos dias há em três semanas?", "pt"),
        ("三周一共有多少天？", "zh"),
        ("日本の首都はどこですか", "ja"),
        ("서울은 어디에 있나요?", "ko"),
        ("Сколько дней в трёх неделях?", "ru"),
        ("كم يوما في ثلاثة أسابيع؟", "ar"),
        ("Explain 三 in Chinese, and how it is written", "en"),
        ("Was macht das?\n```python\nfor x in the_list: and is not of\n```", "de"),
        ("3 * 4", None),
        ("", None),
    ],
)
def test_the_language_of_a_text(text: str, language: str | None) -> None:
    assert language_of(text) == language
