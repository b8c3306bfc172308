"""The parts that charts are made of: scales, curves, lettering, labels moved apart, colours."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.charts import theme
from percorso.charts.axes import every, spread
from percorso.charts.curve import band_path, curve_path, runs_of
from percorso.charts.lettering import fit, text_width, wrap
from percorso.charts.scale import linear_scale, nice_step
from percorso.charts.svg import escape, number, text
from percorso.language.measures import COUNT, DURATION, NUMBER, SHARE
from percorso.settings.stages import STAGE_MODELS

finite = st.floats(-1e12, 1e12, allow_nan=False)


# ------------------------------------------------------------------------------------------------------- scales


@given(st.lists(finite, min_size=1, max_size=8), st.sampled_from([COUNT, NUMBER, SHARE, DURATION]))
def test_a_scale_holds_its_values_between_few_even_ticks(values: list[float], measure: object) -> None:
    scale = linear_scale(values, 0, 100, measure)  # type: ignore[arg-type]
    slack = 1e-6 * (max(*values, 0.0) - min(*values, 0.0)) + 1e-9  # a millionth of the axis is nothing to see
    assert scale.low <= min(*values, 0.0) + slack
    assert scale.high >= max(*values, 0.0) - slack
    assert 2 <= len(scale.ticks) <= 9
    steps = [b - a for a, b in itertools.pairwise(scale.ticks)]
    assert max(steps) == pytest.approx(min(steps), rel=1e-6, abs=1e-9)


def test_steps_are_round() -> None:
    assert [nice_step(span, 5, NUMBER) for span in (0.9, 7, 11, 23, 480)] == [0.2, 2.0, 2.5, 5.0, 100.0]
    assert [nice_step(span, 5, COUNT) for span in (2, 12)] == [1.0, 5.0]
    days = [nice_step(span * 86_400, 4, DURATION) / 86_400 for span in (6, 30, 300, 1500)]
    assert days == [2.0, 14.0, 90.0, 730.0]


def test_no_axis_of_shares_ends_above_all() -> None:
    assert linear_scale([0.0, 0.97], 0, 1, SHARE).ticks[-1] == 1.0


# ------------------------------------------------------------------------------------------------------- curves


@given(st.lists(st.tuples(st.floats(0.1, 5), st.floats(-50, 50)), min_size=2, max_size=9))
def test_a_smooth_curve_never_leaves_the_values_of_its_neighbours(steps: list[tuple[float, float]]) -> None:
    """Control points of a cubic piece bound it; those of a monotone piece lie between its ends."""
    xs = list(itertools.accumulate(step for step, _ in steps))
    points = list(zip(xs, (y for _, y in steps), strict=True))
    pieces = curve_path(points, "smooth").split("C")[1:]
    for (start, end), piece in zip(itertools.pairwise(points), pieces, strict=True):
        values = [float(part) for part in piece.split()]
        low, high = sorted((start[1], end[1]))
        slack = 0.02 + (high - low) * 1e-9
        # Bernstein form: between the ends if both control heights are, at any rate at quarters of the way.
        for t in (0.25, 0.5, 0.75):
            y = (
                (1 - t) ** 3 * start[1]
                + 3 * (1 - t) ** 2 * t * values[1]
                + 3 * (1 - t) * t**2 * values[3]
                + t**3 * end[1]
            )
            assert low - slack <= y <= high + slack


def test_paths_of_each_shape() -> None:
    points = [(0.0, 0.0), (10.0, 5.0)]
    assert curve_path(points, "straight") == "M0 0L10 5"
    assert curve_path(points, "step") == "M0 0H10V5"
    assert curve_path(points, "smooth") == "M0 0C3.33 1.67 6.67 3.33 10 5"
    assert band_path(points, [(0.0, 2.0), (10.0, 7.0)], "straight") == "M0 0L10 5L10 7L0 2Z"
    assert band_path(points, [(0.0, 2.0), (10.0, 7.0)], "step") == "M0 0H10V5L10 7L10 2L0 2Z"
    assert runs_of([]) == []


# ---------------------------------------------------------------------------------------------------- lettering


@given(st.text(max_size=60), st.floats(20, 300))
def test_what_fits_is_no_wider_and_no_letter_is_made_up(content: str, width: float) -> None:
    shown = fit(content, width, 11)
    assert text_width(shown, 11) <= max(width, text_width("…", 11)) + 1e-6
    assert shown == content or content.startswith(shown[:-1])


@given(st.lists(st.text("abcdefg", min_size=1, max_size=12), min_size=1, max_size=12), st.integers(1, 4))
def test_wrapped_lines_hold_the_words_in_order(words: list[str], lines: int) -> None:
    shown = wrap(" ".join(words), 90, 11, lines)
    assert len(shown) <= lines
    assert all(text_width(line, 11) <= 90 for line in shown)
    if not any(line.endswith("…") for line in shown):
        assert " ".join(shown).split() == words


def test_widths_are_those_of_arial() -> None:
    """Advance widths of Arial, thousandths of the size, from its AFM metrics; with the slack of 3 %."""
    assert text_width("0123456789", 1000) / 1.03 == pytest.approx(5560)
    assert text_width("Wm%", 1000) / 1.03 == pytest.approx(944 + 833 + 889)
    assert text_width("perché", 10) == text_width("perche", 10)


# ------------------------------------------------------------------------------------------------------- labels


@given(st.lists(st.floats(0, 200), max_size=12))
def test_labels_are_moved_apart_and_stay_in_order(wanted: list[float]) -> None:
    places = spread(wanted, 14, 0, 200)
    in_order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    for a, b in itertools.pairwise(in_order):
        assert places[b] - places[a] >= 14 - 1e-6


def test_labels_that_do_not_meet_stay_where_they_are() -> None:
    assert spread([10, 50, 90], 14, 0, 100) == [10, 50, 90]
    assert spread([50, 50], 14, 0, 100) == [43, 57]
    assert spread([0, 100], 14, 5, 95) == [5, 95]


def test_every_nth_label() -> None:
    assert every(["gen 24"] * 12, 60) == 1
    assert every(["gen 24"] * 12, 20) == 3
    assert every([], 0) == 1


# ----------------------------------------------------------------------------------------------------------- svg


def test_text_of_xml() -> None:
    assert escape("<a b='c'>&\"\x00\ud800") == "&lt;a b=&#39;c&#39;&gt;&amp;&quot;\ufffd\ufffd"
    assert [number(value) for value in (1.005, -0.0, 10, 123456.789)] == ["1", "0", "10", "123456.79"]
    assert text(1, 2, "") == ""
    assert text(1, 2, "a…", full="all") == '<text x="1" y="2" font-size="12" fill="#1d2329">a…<title>all</title></text>'


# -------------------------------------------------------------------------------------------------------- colours


def contrast(a: str, b: str) -> float:
    """WCAG 2.2: (lighter + 0.05) / (darker + 0.05)."""
    low, high = sorted((theme.luminance(a), theme.luminance(b)))
    return (high + 0.05) / (low + 0.05)


#: Machado, Oliveira, Fernandes (2009), doi:10.1109/TVCG.2009.113: severity 1.0, on linear RGB.
DEFICIENCIES = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "none": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}


def lab(colour: str, seen: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """CIE Lab (D65) of a colour as it is seen."""
    srgb = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in srgb]
    r, g, b = (min(max(sum(m * c for m, c in zip(row, linear, strict=True)), 0.0), 1.0) for row in seen)
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883,
    )
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in xyz)
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("seen", DEFICIENCIES.values(), ids=list(DEFICIENCIES))
@pytest.mark.parametrize(
    "colours",
    [tuple(dict.fromkeys(theme.STAGE_COLOURS.values())), theme.SERIES, (theme.GOOD, theme.BAD)],
    ids=["stages", "series", "good and bad"],
)
def test_colours_keep_apart(colours: tuple[str, ...], seen: tuple[tuple[float, ...], ...]) -> None:
    for a, b in itertools.combinations(colours, 2):
        assert math.dist(lab(a, seen), lab(b, seen)) > 15, (a, b)


def test_texts_can_be_read() -> None:
    assert contrast(theme.INK, theme.BACKGROUND) > 12
    assert contrast(theme.MUTED, theme.BACKGROUND) > 5
    assert min(contrast(colour, theme.BACKGROUND) for colour in (theme.GOOD, theme.BAD, theme.ACCENT)) > 4.5
    for colour in (*theme.SERIES, *theme.STAGE_COLOURS.values()):
        assert contrast(theme.darker(colour, 0.45), theme.BACKGROUND) > 4.5
    for part in range(11):
        cell = theme.ramp(part / 10)
        assert contrast(theme.ink_on(cell), cell) > 4.5


def test_heat_grows_darker_in_grey_too() -> None:
    grey = [theme.luminance(theme.ramp(part / 10)) for part in range(11)]
    assert all(a > b for a, b in itertools.pairwise(grey))


def test_every_shipped_stage_has_the_colour_of_its_place() -> None:
    for model in STAGE_MODELS.values():
        colours = [theme.stage_colour(stage.key, at) for at, stage in enumerate(model.stages)]
        if model.name != "familiarity":  # its consideration stands third, and elsewhere second
            assert len(set(colours)) == len(colours), model.name
    assert theme.stage_colour("our own") == theme.QUIET
