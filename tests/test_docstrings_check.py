"""The check of docstrings that `make lint` runs."""

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / ".ci" / "docstrings.py"
breaches: Callable[[str], Iterator[tuple[int, str]]] = runpy.run_path(str(SCRIPT))["breaches"]


def found(source: str) -> list[tuple[int, str]]:
    return [(line, beginning) for line, beginning in breaches(source)]


@pytest.mark.parametrize(
    ("source", "line", "beginning"),
    [
        ('"""What it is."""', 1, "What"),
        ('"""The same of a socket."""', 1, "The same"),
        ('"""in lower case"""', 1, "in"),
        ('class A:\n    """Of a stream, its length."""', 2, "Of"),
        ('class A:\n    def f(self):\n        """As before."""', 3, "As"),
        ('async def f():\n    """Whether it runs."""', 2, "Whether"),
        ('SECONDS = 1\n"""That a link lives."""', 2, "That"),
        ('class A:\n    size: int\n    """How large."""', 3, "How"),
        ('def f():\n    """\n    With a key."""', 2, "With"),
    ],
)
def test_a_docstring_that_only_continues_a_name_is_found(source: str, line: int, beginning: str) -> None:
    assert found(source) == [(line, beginning)]


@pytest.mark.parametrize(
    "source",
    [
        '"""Return the length."""',
        '"""`size` is the length."""',
        '"""serve_config.yaml with another model."""',
        '"""vLLM behind the gateway."""',
        '"""To-do lists."""',
        '"""Format a prompt."""',
        'SECONDS = 1\n"""Seconds for which a link accepts calls."""',
        'print("of a call")\n"of no assignment"',
        'square = (lambda x: x * x) if True else "of a lambda"',
    ],
)
def test_a_sentence_a_name_and_a_string_that_is_no_docstring_pass(source: str) -> None:
    assert found(source) == []


def test_breaches_are_in_the_order_of_their_lines() -> None:
    source = '"""What."""\nclass A:\n    def f(self):\n        """Who."""\n\nB = 1\n"""Of A."""'
    assert [line for line, _ in found(source)] == [1, 4, 7]
