"""The README's table of formats is the code's."""

from pathlib import Path

import pytest

from gateway.reasoning.formats import FORMATS
from gateway.reasoning.table import HEAD, markdown, placed

README = Path(__file__).parents[3] / "README.md"


def test_the_readme_has_the_table_as_it_is() -> None:
    readme = README.read_text("utf-8")
    assert placed(readme) == readme, "run `make readme`"


def test_a_row_a_format_and_as_many_cells_in_each() -> None:
    rows = markdown().splitlines()
    assert len(rows) == len(FORMATS) + 2
    assert {row.replace("\\|", "").count("|") for row in rows} == {len(HEAD) + 1}


def test_a_row_says_it_all() -> None:
    assert (
        "| `k2_horizon` | K2 Horizon | `<ifm\\|think>…</ifm\\|think>` or `<ifm\\|think_fast>…</ifm\\|think_fast>` or "
        "`<ifm\\|think_faster>…</ifm\\|think_faster>` | yes | three tags, for three efforts |"
    ) in markdown().splitlines()


def test_a_readme_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        placed("# Reasoning Gateway")
