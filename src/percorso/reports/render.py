"""A report as one HTML file: the templates say how it looks, and hold no word that people read."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined

from percorso.charts import theme
from percorso.language.words import heading
from percorso.reports.document import Document

__all__ = ["render_report"]

_TEMPLATES = ("report.html", "pieces.html", "report.css")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    folder = files("percorso.reports") / "templates"
    # Everything is escaped, the style sheet too: it holds nothing that an escape would change.
    environment = Environment(
        loader=DictLoader({name: (folder / name).read_text(encoding="utf-8") for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["head"] = heading
    return environment


def render_report(document: Document) -> str:
    """The page, complete in itself: no script, no request to anywhere."""
    look = {name: value for name, value in vars(theme).items() if name.isupper() and isinstance(value, str)}
    return _environment().get_template("report.html").render(document=document, look=look) + "\n"
