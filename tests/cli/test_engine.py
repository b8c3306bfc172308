"""`percorso --engine` and `--master`: what reaches questions, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from percorso.cli.main import run
from percorso.engines import session
from percorso.engines.spark_choice import SparkChoice
from percorso.errors import EngineError
from percorso.store.journey_log import Bucket
from tests.engines.partitions import RandomPartitions
from tests.services.shop_workspace import VIEW

P = TypeVar("P")


class Noted:
    """Takes the place of a cluster, and notes which one was asked."""

    def __init__(self) -> None:
        self.choices: list[SparkChoice] = []

    def __call__(self, choice: SparkChoice) -> RandomPartitions:
        self.choices.append(choice)
        return RandomPartitions()


@pytest.fixture
def spark(monkeypatch: pytest.MonkeyPatch) -> Noted:
    noted = Noted()
    monkeypatch.setattr(session, "spark_of", noted)
    return noted


QUESTION = ["funnel", "--step", VIEW, "--json"]


@pytest.mark.parametrize("said", [["--engine", "spark"], ["--master", "local[*]"]])
def test_a_question_goes_to_the_engine_that_was_named(
    said: Sequence[str], folder: Path, spark: Noted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-w", str(folder), *QUESTION]) == 0
    here = capsys.readouterr()
    assert not spark.choices
    assert run(["-w", str(folder), *said, *QUESTION]) == 0
    assert capsys.readouterr() == here
    assert set(spark.choices) == {SparkChoice("local[*]")}


def test_the_environment_names_the_engine(folder: Path, spark: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCORSO_MASTER", "sc://host:15002")
    assert run(["-w", str(folder), *QUESTION]) == 0
    assert set(spark.choices) == {SparkChoice("sc://host:15002")}
    spark.choices.clear()
    assert run(["-w", str(folder), "--engine", "local", *QUESTION]) == 0
    assert not spark.choices


def test_a_build_that_finds_everything_up_to_date_starts_nothing(folder: Path, spark: Noted) -> None:
    assert run(["-w", str(folder), "--engine", "spark", "build"]) == 0
    assert not spark.choices


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--engine", "sparc", *QUESTION], "'sparc' is no engine.", "'spark'"),
        (["--master", "host:7077", *QUESTION], "'host:7077' is no master of Spark.", "spark://HOST:7077"),
        (["--master", "local", "import", "x.csv", "--json"], "Spark does not do this: percorso import.", "--engine"),
        ([*QUESTION, "--engine", "spark"], "No such option: --engine", "percorso --engine spark funnel"),
        ([*QUESTION, "--master", "yarn"], "No such option: --master", "percorso --master 'local[2]' funnel"),
    ],
)
def test_a_wrong_choice_is_refused(
    arguments: Sequence[str], message: str, hint: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-w", str(folder), *arguments]) == 2
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert message in error["message"]
    assert hint in error["hint"]


def test_an_error_of_the_engine_is_told_in_the_readers_language(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    pytest.importorskip("pyspark")
    assert run(["-w", str(folder), "--language", "it", "--master", "local[2]", *QUESTION]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["code"] == "engine"
    assert "non c'è Java" in told.err
    assert "openjdk" in told.err


def test_spark_s_own_words_are_shown_on_request(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing:
        def run(self, buckets: Sequence[Bucket], task: Callable[[Sequence[Bucket]], P]) -> list[P]:
            raise EngineError("A task failed.") from RuntimeError("at org.apache.spark.Scheduler")

    monkeypatch.setattr(session, "spark_of", lambda choice: Failing())
    arguments = ["-w", str(folder), "--engine", "spark", *QUESTION]
    assert run(arguments) == 1
    assert "org.apache.spark" not in capsys.readouterr().err
    monkeypatch.setenv("PERCORSO_DEBUG", "1")
    assert run(arguments) == 1
    assert "org.apache.spark" in capsys.readouterr().err
