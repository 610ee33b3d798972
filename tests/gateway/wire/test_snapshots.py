"""The exact bytes of each wire format, for five answers; `python -m tests.fakes.scripted_runs` rewrites them."""

from itertools import product

import pytest

from tests.fakes.scripted_runs import RUNS, SNAPSHOTS, WIRES, path


@pytest.mark.parametrize(("wire", "run"), list(product(WIRES, RUNS)))
def test_the_bytes_are_those_of_the_snapshot(wire: str, run: str) -> None:
    assert WIRES[wire](RUNS[run]) == path(wire, run).read_bytes()


def test_there_is_no_snapshot_of_anything_else() -> None:
    assert {file.name for file in SNAPSHOTS.iterdir()} == {path(wire, run).name for wire, run in product(WIRES, RUNS)}
