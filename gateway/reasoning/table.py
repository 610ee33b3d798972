"""The table of formats for README.md: `python -m gateway.reasoning.table` rewrites it there (`make readme`)."""

from pathlib import Path

from gateway.reasoning.formats import FORMATS, Format

BEGIN, END = "<!-- formats: made by `make readme` -->", "<!-- formats end -->"
HEAD = ("format", "models", "reasoning is marked", "starts inside", "what else")


def markdown() -> str:
    """A row a format, in the table's order."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(_row(row) for row in FORMATS.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def placed(readme: str) -> str:
    """The README with the table as it is now. Raises ValueError where it has no place for one."""
    before, _, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"no place for the table: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{markdown()}\n\n{END}{after}"


def _row(row: Format) -> tuple[str, ...]:
    inside = "by request" if row.by_request else "yes" if row.starts_inside else "no"
    markers = " or ".join(f"`{pair}`" for pair in row.markers.split(" or "))
    cells = (f"`{row.name}`", row.families, markers, inside, row.note)
    return tuple(cell.replace("|", "\\|") for cell in cells)


if __name__ == "__main__":
    README = Path("README.md")
    README.write_text(placed(README.read_text("utf-8")), "utf-8")
