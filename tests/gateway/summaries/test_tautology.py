"""A sentence with the same words twice is told from one with parallel clauses."""

import pytest

from gateway.summaries.tautology import says_twice


@pytest.mark.parametrize(
    ("sentence", "twice"),
    [
        ("It is a large square with a small one beside it, or a large square with a small one beside it.", True),
        ("模板参数约束表达式列表包含模板参数约束表达式。", True),
        ("テンプレート引数の制約はテンプレート引数の制約である。", True),
        ("It is 2/3 if the initial pick was good and 1/3 if the initial pick was defective.", False),
        ("The council can repair the pier, and the wall of granite lasts.", False),
        ("检查输入是否来自用户，并且检查参数是否为字符串。", False),
        ('"A thing" is called "A thing" in French.', True),
        ("「同じ成分」は日本語では「同じ成分」です。", True),
        ('"A thing" is called "Ding" in German.', False),
        ("so so so so so so so so", False),
        ("", False),
    ],
)
def test_a_run_of_words_that_comes_again_is_found(sentence: str, twice: bool) -> None:
    assert says_twice(sentence) == twice
