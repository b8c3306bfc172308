"""Charts of every kind of answer: sound in both languages, also where there is nothing, one row, or names that bite."""

from __future__ import annotations

from pathlib import Path

import pytest

from percorso.analyses.plots import PLOTS
from percorso.analyses.result import Result
from percorso.errors import SpecError
from tests.analyses.contact_logs import build_shop
from tests.analyses.plot_answers import HOSTILE, answers_of, build_plotted, cut, drawable, with_hostile_names
from tests.charts.drawn import assert_sound, text_boxes
from tests.lake_builder import event

LANGUAGES = ("en", "it")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    return answers_of(build_plotted(tmp_path_factory.mktemp("shop")))


def assert_all_sound(answers: dict[str, Result]) -> None:
    for name, answer in answers.items():
        for kind in drawable(name, answer):
            for language in LANGUAGES:
                try:
                    assert_sound(answer.plot(kind, language))
                except AssertionError as error:
                    raise AssertionError(f"{name}: {kind}, {language}") from error


def test_every_chart_of_every_answer(answers: dict[str, Result]) -> None:
    assert_all_sound(answers)
    for name, answer in answers.items():
        for kind in drawable(name, answer):
            assert answer.plot(kind).rows, f"{name}: {kind}"


def test_every_chart_is_drawn_by_some_answer(answers: dict[str, Result]) -> None:
    drawn = {(type(answer.spec), kind) for name, answer in answers.items() for kind in drawable(name, answer)}
    asked = {type(answer.spec) for answer in answers.values()}
    assert {(spec, kind) for spec, plots in PLOTS.items() if spec in asked for kind in plots} == drawn


def test_hostile_names(answers: dict[str, Result]) -> None:
    hostile = {name: with_hostile_names(answer) for name, answer in answers.items()}
    assert_all_sound(hostile)
    chart = hostile["quality"].plot("sources", "it")
    assert chart.rows[0][0].startswith(HOSTILE)
    assert "<script>" not in chart.svg


@pytest.mark.parametrize("n", [0, 1])
def test_answers_cut_short(answers: dict[str, Result], n: int) -> None:
    # A segment always has its two rows of size.
    assert_all_sound({name: cut(answer, n) for name, answer in answers.items() if name != "segment"})


@pytest.mark.parametrize("n_events", [0, 1])
def test_a_shop_of_nothing_or_one_event(tmp_path: Path, n_events: int) -> None:
    rows = [event("2024-03-01T10:00:00", "Page Viewed", user_id="u")][:n_events]
    assert_all_sound(answers_of(build_shop(tmp_path, rows)))


def test_nothing_to_draw_is_said(answers: dict[str, Result]) -> None:
    for name, answer in answers.items():
        if name == "segment":
            continue
        for kind in drawable(name, answer):
            texts = {box.text for box in text_boxes(cut(answer, 0).plot(kind, "it"))}
            assert "Nessun dato" in texts, f"{name}: {kind}"


def test_what_needs_more_to_be_asked(answers: dict[str, Result]) -> None:
    for name, kind, said in (
        ("journeys by", "times", "break-down"),
        ("retention by", "cohorts", "break-down"),
        ("retention of activity", "repeat", "no repeat purchase"),
        ("kpis by", "tiles", "break-down"),
        ("kpis", "groups", "no break-down"),
        ("kpis of two", "changes", "nothing to compare with"),
    ):
        with pytest.raises(SpecError, match=said):
            answers[name].plot(kind)
