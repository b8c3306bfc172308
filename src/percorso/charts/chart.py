"""A finished chart: the picture, what it says in words, and the table behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from percorso.charts.svg import element, escape, rect
from percorso.charts.theme import BACKGROUND, FONT_STACK, WIDTH
from percorso.errors import FileError
from percorso.language.words import Words, heading

__all__ = ["Chart", "Drawing", "Table", "finish"]

Table = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What the data of every chart carry beside the numbers.

    Parameters
    ----------
    title : str
        What is shown; a finding where there is one.
    subtitle : str
        Of whom and when, in what unit.
    note : str
        Below the chart: how many, which interval, what is missing.
    description : str
        One or two sentences that say what it shows, as caption and for those who do not see the chart. Default: what
        the kind of chart can say by itself.
    width : int
        In pixels at 96 to the inch; as vector it prints at any size.
    bare : bool
        Without title, subtitle and note, to stand in a map or a tile; they remain in the description.
    """

    title: str
    subtitle: str = ""
    note: str = ""
    description: str = ""
    width: int = WIDTH
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Parameters
    ----------
    svg : str
        The picture, complete in itself.
    width, height : float
        Its size in pixels.
    title : str
    caption : str
        What the chart says, in a sentence; "" where the title says it.
    description : str
        Title, subtitle and caption: what a screen reader says.
    note : str
    heads : tuple of str
    rows : tuple of tuple of str
        The table behind it, as people read it.
    language : str
    """

    svg: str
    width: float
    height: float
    title: str
    caption: str
    description: str
    note: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    language: str

    def save(self, path: str | Path) -> Path:
        """Write the chart as ``.svg``, or as ``.html`` with the table behind it.

        Raises
        ------
        FileError
            The name has another ending.
        """
        target = Path(path)
        writers = {".svg": self._file, ".html": self._page}
        if target.suffix.lower() not in writers:
            raise FileError(f"A chart is not written as '{target.suffix}'.", hint="Allowed endings: .svg, .html.")
        target.write_text(writers[target.suffix.lower()](), encoding="utf-8")
        return target

    def as_figure(self) -> str:
        """HTML: the picture, the caption, and the table behind it, folded."""
        table = self.as_table()
        summary = escape(Words(self.language).text("charts.table_behind"))
        folded = f"<details><summary>{summary}</summary>\n{table}\n</details>\n" if table else ""
        caption = f"<figcaption>{escape(self.caption)}</figcaption>\n" if self.caption else ""
        return f'<figure class="chart">\n{self.svg}\n{caption}{folded}</figure>'

    def as_table(self) -> str:
        """HTML: the table behind the chart; "" where it has no rows."""
        if not self.rows:
            return ""
        head = "".join(f'<th scope="col">{escape(heading(name))}</th>' for name in self.heads)
        body = "\n".join(
            f'<tr><th scope="row">{escape(row[0])}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
            + "</tr>"
            for row in self.rows
        )
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self.as_figure()

    def _file(self) -> str:
        return self.svg + "\n"

    def _page(self) -> str:
        style = (
            f"body{{font-family:{FONT_STACK};margin:24px;max-width:{self.width:.0f}px}}figure{{margin:0}}"
            "svg{max-width:100%;height:auto}table{border-collapse:collapse}"
            "td,th{padding:2px 12px 2px 0;text-align:right}th:first-child{text-align:left;font-weight:normal}"
        )
        return (
            f'<!doctype html>\n<html lang="{self.language}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width">\n<title>{escape(self.title)}</title>\n'
            f"<style>{style}</style>\n</head>\n<body>\n{self.as_figure()}\n</body>\n</html>\n"
        )


def finish(
    drawing: Drawing,
    parts: Sequence[str],
    height: float,
    table: Table,
    words: Words,
    *,
    description: str = "",
) -> Chart:
    """The chart of finished elements.

    Parameters
    ----------
    drawing : Drawing
    parts : sequence of str
        Elements in the order in which they are painted.
    height : float
    table : tuple of heads and rows
    words : Words
    description : str
        What the kind of chart can say by itself, where the drawing brings no description.
    """
    caption = drawing.description or description
    said = ". ".join(part.rstrip(".") for part in (drawing.title, drawing.subtitle, caption) if part)
    named = (element("title", escape(drawing.title)), element("desc", escape(said)))
    ground = () if drawing.bare else (rect(0, 0, drawing.width, round(height), fill=BACKGROUND),)
    svg = element(
        "svg",
        "\n" + "\n".join(part for part in (*named, *ground, *parts) if part) + "\n",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {drawing.width} {round(height)}",
        width=float(drawing.width),
        height=float(round(height)),
        role="img",
        lang=words.language,
        font_family=FONT_STACK,
    )
    return Chart(
        svg,
        float(drawing.width),
        float(round(height)),
        drawing.title,
        caption,
        said,
        drawing.note,
        *table,
        words.language,
    )
