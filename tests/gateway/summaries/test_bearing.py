"""The content words of a sentence are found in the text that it summarizes, inflected or without spaces too."""

import pytest

from gateway.summaries.bearing import LexicalIndex, stems_of


@pytest.mark.parametrize(
    ("text", "sentence", "share"),
    [
        ("The cache returns old rows.", "Old rows are returned by caches.", 1.0),
        ("The cache returns old rows.", "The weather in Paris is lovely.", 0.0),
        ("The cache returns old rows.", "The cache loses new rows.", 0.5),
        ("Alte Zeilen kehren zurück, weil der Schlüssel fehlt.", "Ein alter Schlüssel bringt die Zeile.", 0.75),
        ("Les fonctions renvoient des valeurs.", "La fonction renvoie une valeur.", 1.0),
        ("Пингвины не летают над морем.", "Пингвин летает.", 1.0),
        ("企鹅不会飞，所以A不对。", "企鹅不会飞", 1.0),
        ("펭귄은 날지 못한다.", "펭귄이 날지 않는다", 2 / 3),
        ("ペンギンは飛べない。", "ペンギンが飛ぶ。", 1.0),
        ("Whatever is said.", "It is 42.", 1.0),
        ("", "Penguins fly.", 0.0),
    ],
)
def test_the_share_of_the_content_words_that_the_text_has(text: str, sentence: str, share: float) -> None:
    assert LexicalIndex(text).share(stems_of(sentence)) == pytest.approx(share)
