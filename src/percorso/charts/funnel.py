"""A funnel: a bar for each step, and between two bars who went on and who left."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.charts.chart import Chart, Drawing, Table, finish
from percorso.charts.frame import empty_chart, footing, heading, label_lines
from percorso.charts.lettering import text_width, wrap
from percorso.charts.svg import number, path, rect, text
from percorso.charts.theme import ACCENT, BAD, BODY, GAP, INK, MUTED, PALE, SMALL
from percorso.language.measures import DURATION, SHARE
from percorso.language.words import Words, capital

__all__ = ["FunnelStep", "Steps", "draw_steps"]

_BAR = 30.0
_BETWEEN = 26.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """A step.

    Parameters
    ----------
    name : str
    count : int
    share : float or None
        Of those who did the first step, with its interval `low` to `high`.
    from_previous : float or None
        Of those who did the step before.
    dropped : int or None
        How many got no further.
    median_s : float or None
        Time from the step before.
    colour : str
    """

    name: str
    count: int
    share: float | None = None
    low: float | None = None
    high: float | None = None
    from_previous: float | None = None
    dropped: int | None = None
    median_s: float | None = None
    colour: str = ACCENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(Drawing):
    """A funnel's steps, in order; `unit` is what they count, as people say it."""

    steps: tuple[FunnelStep, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    left: float
    right: float
    most: int

    def end(self, count: int) -> float:
        return self.left + (self.right - self.left) * (count / self.most if self.most else 0.0)


def draw_steps(funnel: Steps, words: Words) -> Chart:
    """Draw a funnel."""
    table = _table(funnel, words)
    steps = funnel.steps
    if not steps:
        return empty_chart(funnel, table[0], words)
    parts, y = heading(funnel)
    most = 0.3 * funnel.width
    names = min(most, max(text_width(line, BODY) for step in steps for line in wrap(step.name, most, BODY)))
    behind = max(_behind_width(step, words) for step in steps)
    place = _Place(names + 2 * GAP, funnel.width - behind, max(step.count for step in steps))
    for at, step in enumerate(steps):
        top = y + at * (_BAR + _BETWEEN)
        if at:
            parts += _between(steps[at - 1], step, top - _BETWEEN, place, words)
        parts += _step(step, top, names, place, words)
    below, height = footing(funnel, y + len(steps) * (_BAR + _BETWEEN) - _BETWEEN)
    return finish(funnel, [*parts, *below], height, table, words, description=_said(funnel, words))


def _behind_width(step: FunnelStep, words: Words) -> float:
    interval = words.numbers.interval(step.share, step.low, step.high, SHARE)
    return GAP + text_width(words.numbers.count(step.count), BODY, bold=True) + text_width(f"   {interval}", SMALL)


def _step(step: FunnelStep, top: float, names: float, place: _Place, words: Words) -> list[str]:
    middle = top + _BAR / 2
    end = place.end(step.count)
    shown = words.numbers.count(step.count)
    interval = words.numbers.interval(step.share, step.low, step.high, SHARE) if step.share is not None else ""
    return [
        *label_lines(names, middle, step.name, names, anchor="end"),
        rect(place.left, top, end - place.left, _BAR, fill=step.colour, title=f"{step.name}: {shown}"),
        rect(place.left, top, 1.5, _BAR, fill=INK),
        text(end + 8, middle + 4, shown, bold=True),
        text(end + 14 + text_width(shown, BODY, bold=True), middle + 4, interval, size=SMALL, fill=MUTED),
    ]


def _between(before: FunnelStep, step: FunnelStep, top: float, place: _Place, words: Words) -> list[str]:
    """The slope from bar to bar; who went on, how fast, and who left."""
    left, wide, narrow = (number(x) for x in (place.left, place.end(before.count), place.end(step.count)))
    parts = [path(f"M{left} {number(top)}H{wide}L{narrow} {number(top + _BETWEEN)}H{left}Z", fill=PALE)]
    base = top + _BETWEEN / 2 + 4
    x = place.left + 10
    went = ""
    if step.from_previous is not None:
        went = words.text("charts.went_on", share=words.numbers.share(step.from_previous))
        if step.median_s is not None:
            went += ", " + words.text("charts.median", time=words.numbers.duration(step.median_s))
        parts.append(text(x, base, went, size=SMALL))
    if before.dropped:
        left_here = words.text("charts.left", n=before.dropped)
        x += text_width(went, SMALL) + (18 if went else 0)
        parts.append(text(x, base, left_here, size=SMALL, fill=BAD, bold=True))
    return parts


def _said(funnel: Steps, words: Words) -> str:
    first, last = funnel.steps[0], funnel.steps[-1]
    if last.share is None or len(funnel.steps) < 2:
        return ""
    share = words.numbers.interval(last.share, last.low, last.high, SHARE)
    return capital(
        words.text("charts.funnel_says", first=first.name, last=last.name, n=last.count, of=first.count, share=share)
    )


def _table(funnel: Steps, words: Words) -> Table:
    n = words.numbers
    names = ("step", "count", "share", "interval", "from_previous", "dropped", "median_s")
    rows = tuple(
        (
            step.name,
            n.count(step.count),
            n.show(step.share, SHARE),
            n.range(step.low, step.high, SHARE),
            n.show(step.from_previous, SHARE),
            "" if step.dropped is None else n.count(step.dropped),
            n.show(step.median_s, DURATION),
        )
        for step in funnel.steps
    )
    return tuple(words.name("column", name) for name in names), rows
