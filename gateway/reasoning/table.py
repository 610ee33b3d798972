"""The table of formats in docs/formats.md: `python -m gateway.reasoning.table` writes it there (`make formats`)."""

from pathlib import Path

from gateway.reasoning.formats import FORMATS, Format

PAGE = Path("docs/formats.md")
"""The page with the table, relative to the root of the repository."""
BEGIN, END = "<!-- formats: written by `make formats` -->", "<!-- end of formats -->"
"""The lines of the page between which the table stands."""
HEAD = ("format", "models", "markers", "starts inside", "notes")


def markdown() -> str:
    """Return the table as Markdown, with one row for each format in the order of FORMATS."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(_cells(row) for row in FORMATS.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def updated(page: str) -> str:
    """Return `page` with the table between BEGIN and END replaced. Raises ValueError if it lacks either of them."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the page must contain the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{markdown()}\n\n{END}{after}"


def _cells(row: Format) -> tuple[str, ...]:
    inside = "by request" if row.by_request else "yes" if row.starts_inside else "no"
    markers = " or ".join(f"`{pair}`" for pair in row.markers.split(" or "))
    cells = (f"`{row.name}`", row.families, markers, inside, row.note)
    return tuple(cell.replace("|", "\\|") for cell in cells)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text("utf-8")), "utf-8")
