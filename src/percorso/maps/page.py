"""The journey map as a page: the poster, and below it the same as a table that one can read, copy and print."""

from __future__ import annotations

from percorso.charts.chart import Chart
from percorso.charts.svg import escape
from percorso.charts.theme import BACKGROUND, FONT_STACK, GRID, INK, MUTED
from percorso.language.words import Words
from percorso.maps.view import Line, MapView

__all__ = ["map_page", "map_table"]

_STYLE = f"""
@page {{ size: A3 landscape; margin: 8mm }}
body {{ font-family: {FONT_STACK}; color: {INK}; background: {BACKGROUND} }}
body {{ margin: 0 auto; max-width: 1588px; padding: 16px }}
svg {{ width: 100%; height: auto; display: block }}
.wide {{ overflow-x: auto }}
.wide svg {{ min-width: 1100px }}
h2 {{ font-size: 18px; margin: 40px 0 8px }}
table {{ border-collapse: collapse; font-size: 13px; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-bottom: 1px solid {GRID} }}
td p {{ margin: 0 0 3px }}
.muted {{ color: {MUTED} }}
@media print {{ body {{ padding: 0; max-width: none }} .wide {{ overflow: visible }} .wide svg {{ min-width: 0 }}
.wide svg {{ max-height: 280mm }} .behind {{ break-before: page }} }}
""".strip()


def map_page(view: MapView, poster: Chart, words: Words) -> str:
    """A complete HTML page; it asks no other host for anything."""
    title = escape(f"{view.brand}: {view.title}")
    return (
        f'<!doctype html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n<style>\n{_STYLE}\n</style>\n'
        f'</head>\n<body>\n<main>\n<div class="wide">\n{poster.svg}\n</div>\n'
        f'<section class="behind">\n<h2>{escape(words.text("map.in_words"))}</h2>\n{map_table(view)}\n</section>\n'
        "</main>\n</body>\n</html>\n"
    )


def map_table(view: MapView) -> str:
    """HTML: a row a lane, a column a stage, everything that is known of each cell."""
    heads = "".join(
        f'<th scope="col">{escape(stage.name)}<br><span class="muted">{escape(stage.size)}</span></th>'
        for stage in view.stages
    )
    rows = []
    if any(point.value is not None for point in view.curve):
        cells = "".join(f"<td><p>{escape(f'{point.label} {point.note}'.strip())}</p></td>" for point in view.curve)
        rows.append(f'<tr><th scope="row">{escape(view.curve_title)}</th>{cells}</tr>')
    for lane in view.lanes:
        cells = "".join(f"<td>{''.join(map(_said, cell))}</td>" for cell in lane.cells)
        note = f'<br><span class="muted">{escape(lane.note)}</span>' if lane.note else ""
        rows.append(f'<tr><th scope="row">{escape(lane.title)}{note}</th>{cells}</tr>')
    return f"<table>\n<thead><tr><td></td>{heads}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table>"


def _said(one: Line) -> str:
    look = ' class="muted"' if one.tone == "muted" else ""
    return f"<p{look}>{escape(one.full or f'{one.text} {one.value}'.strip())}</p>"
