"""The table of formats in docs/formats.md is the one in the code."""

from pathlib import Path

import pytest

from gateway.reasoning.formats import FORMATS
from gateway.reasoning.table import HEAD, PAGE, markdown, updated

ROOT = Path(__file__).parents[3]


def test_the_page_has_the_current_table() -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    assert updated(page) == page, "run `make formats`"


def test_the_table_has_one_row_for_each_format_with_a_cell_in_every_column() -> None:
    rows = markdown().splitlines()
    assert len(rows) == len(FORMATS) + 2
    assert {row.replace("\\|", "").count("|") for row in rows} == {len(HEAD) + 1}


def test_a_row_shows_every_pair_of_markers_with_escaped_bars() -> None:
    assert (
        "| `k2_horizon` | K2 Horizon | `<ifm\\|think>…</ifm\\|think>` or `<ifm\\|think_fast>…</ifm\\|think_fast>` or "
        "`<ifm\\|think_faster>…</ifm\\|think_faster>` | yes | one pair of tags for each of three efforts |"
    ) in markdown().splitlines()


def test_a_page_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="must contain"):
        updated("# Reasoning Gateway")
