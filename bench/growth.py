"""The growth of every list as one drawing: p50, p95 and statements over the number of cases."""

from html import escape
from math import log10

WIDTH, HEIGHT, LEFT, TOP, GAP = 250, 260, 46, 46, 64
LIMITS = {"p50": 50.0, "p95": 50.0, "SQL": 12.0}
TITLES = {"p50": "p50（ミリ秒）", "p95": "p95（ミリ秒）", "SQL": "SQL文の数"}
COLOURS = {"counsellor": "#0017c1", "head": "#5c10be", "officer": "#0b6e3a"}
LABELS = {"counsellor": "相談員", "head": "センター長", "officer": "所管課の職員"}

Figures = dict[int, dict[str, list[float]]]


def draw(figures: Figures, *, leave_out: str) -> str:
    """Return an SVG of three panels; each list is one line, its reader gives the colour."""
    sizes = sorted(figures)
    names = [name for name in figures[sizes[0]] if name != leave_out]
    parts = []
    for panel, (kind, limit) in enumerate(LIMITS.items()):
        left = LEFT + panel * (WIDTH + GAP)
        highest = max(figures[size][name][panel] for size in sizes for name in names)
        top = max(limit * 1.2, highest * 1.05)
        parts.append(_panel(left, TITLES[kind], sizes, limit, top))
        for name in names:
            points = " ".join(
                f"{_x(left, size, sizes):.1f},{_y(figures[size][name][panel], top):.1f}"
                for size in sizes
            )
            colour = COLOURS[name.partition(":")[0]]
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"'
                f' stroke-opacity=".6"><title>{escape(name)}</title></polyline>'
            )
    for place, (reader, colour) in enumerate(COLOURS.items()):
        x = LEFT + place * 130
        parts.append(
            f'<rect x="{x}" y="{TOP + HEIGHT + 34}" width="14" height="4" fill="{colour}"/>'
            f'<text x="{x + 20}" y="{TOP + HEIGHT + 40}">{LABELS[reader]}</text>'
        )
    width = LEFT + len(LIMITS) * (WIDTH + GAP)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + 54}"'
        ' font-family="sans-serif" font-size="12" role="img">'
        "<title>案件の数と、一覧の速さ・SQL文の数</title>"
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _panel(left: float, title: str, sizes: list[int], limit: float, top: float) -> str:
    bottom = TOP + HEIGHT
    lines = [
        f'<text x="{left}" y="{TOP - 16}" font-weight="bold">{title}</text>',
        f'<path d="M{left} {TOP}V{bottom}H{left + WIDTH}" fill="none" stroke="#333"/>',
        f'<path d="M{left} {_y(limit, top):.1f}H{left + WIDTH}" stroke="#b00020"'
        ' stroke-dasharray="5 4"/>',
        f'<text x="{left + 4}" y="{_y(limit, top) - 5:.1f}" fill="#b00020">'
        f"目標 {limit:.0f}</text>",
        f'<text x="{left - 6}" y="{bottom + 4}" text-anchor="end">0</text>',
        f'<text x="{left - 6}" y="{TOP + 4}" text-anchor="end">{top:.0f}</text>',
    ]
    for size in sizes:
        x = _x(left, size, sizes)
        lines.append(
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">'
            f"{size // 10_000:,}万件</text>"
        )
    return "".join(lines)


def _x(left: float, size: int, sizes: list[int]) -> float:
    spread = log10(sizes[-1]) - log10(sizes[0]) or 1
    return left + 20 + (WIDTH - 40) * (log10(size) - log10(sizes[0])) / spread


def _y(value: float, top: float) -> float:
    return TOP + HEIGHT * (1 - value / top)
