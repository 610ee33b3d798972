"""Draw plots as SVG: a picture of two halves, each with its axes. Knows nothing about the data."""

from collections.abc import Iterable, Iterator
from html import escape

WIDTH, HEIGHT, MARGIN = 860, 360, 56


def svg(drawn: Iterable[str]) -> str:
    """Return a picture of SVG elements."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="11">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(drawn)}</svg>\n'
    )


def axes(left: float, width: float, below: str, above: str) -> Iterator[str]:
    """Yield the axes of a half that begins at `left`, with a label below and one above."""
    x, right, bottom = left + MARGIN, left + width - 16, HEIGHT - MARGIN
    yield f'<path d="M{x} 28V{bottom}H{right}" fill="none" stroke="#333"/>'
    yield text((x + right) / 2, HEIGHT - 22, below, "middle")
    yield text(left + 12, 18, above, "start")


def x(share: float, left: float, width: float) -> float:
    """Return the coordinate of a share, 0 to 1, of a half's horizontal axis."""
    return left + MARGIN + share * (width - 16 - MARGIN)


def y(share: float) -> float:
    """Return the coordinate of a share, 0 to 1, of the vertical axis."""
    return HEIGHT - MARGIN - share * (HEIGHT - MARGIN - 32)


def text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    """Return a text element. `anchor` is start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
