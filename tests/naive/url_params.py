"""Campaign parameters of a URL, in plain Python: the twin of percorso.kernels.url_params."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote_plus


def parameters(url: str, wanted: Sequence[str], clicks: Sequence[str]) -> tuple[list[str | None], str | None]:
    """The first value of each wanted parameter, and the first click id that is there."""
    before, _, _ = url.partition("#")
    _, _, query = before.partition("?")
    found: dict[str, str] = {}
    click = None
    for part in query.split("&"):
        name, _, value = part.partition("=")
        lower = "".join(c.lower() if c.isascii() else c for c in name)
        if lower in wanted and value:
            found.setdefault(lower, value)
        if lower in clicks and click is None:
            click = lower
    return [unquote_plus(found[name]) if name in found else None for name in wanted], click
