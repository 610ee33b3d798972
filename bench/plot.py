"""Plots as SVG, drawn by hand: a picture of two halves, each with its axes. Knows nothing of what is drawn."""

from collections.abc import Iterable, Iterator
from html import escape

WIDTH, HEIGHT, MARGIN = 860, 360, 56


def svg(drawn: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="11">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(drawn)}</svg>\n'
    )


def axes(left: float, width: float, below: str, above: str) -> Iterator[str]:
    x, right, bottom = left + MARGIN, left + width - 16, HEIGHT - MARGIN
    yield f'<path d="M{x} 28V{bottom}H{right}" fill="none" stroke="#333"/>'
    yield text((x + right) / 2, HEIGHT - 22, below, "middle")
    yield text(left + 12, 18, above, "start")


def x(share: float, left: float, width: float) -> float:
    return left + MARGIN + share * (width - 16 - MARGIN)


def y(share: float) -> float:
    return HEIGHT - MARGIN - share * (HEIGHT - MARGIN - 32)


def text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
