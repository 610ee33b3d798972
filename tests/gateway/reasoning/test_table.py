"""The README's table of formats is the code's, and every row of it has tests of its own."""

from pathlib import Path

import pytest

from gateway.reasoning.formats import FORMATS
from gateway.reasoning.table import HEAD, markdown, placed
from tests.gateway.reasoning.test_format_rows import CASES

README = Path(__file__).parents[3] / "README.md"


def test_the_readme_has_the_table_as_it_is() -> None:
    readme = README.read_text("utf-8")
    assert placed(readme) == readme, "run `make readme`"


def test_a_row_a_format_and_as_many_cells_in_each() -> None:
    rows = markdown().splitlines()
    assert len(rows) == len(FORMATS) + 2
    assert {row.replace("\\|", "").count("|") for row in rows} == {len(HEAD) + 1}


def test_a_readme_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        placed("# Reasoning Gateway")


@pytest.mark.parametrize("name", FORMATS)
def test_every_row_has_tests_of_its_own(name: str) -> None:
    assert CASES[name]
