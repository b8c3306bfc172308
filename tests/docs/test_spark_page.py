"""The page on Spark says what engines do and what errors say."""

from __future__ import annotations

import re
import tomllib

import pytest

from percorso.engines.abilities import ABILITIES
from percorso.language.said import said
from percorso.settings import load_settings
from tests.docs_tables import DOCS, code_spans, table

PAGE = "how-to/spark.md"


def test_the_table_of_abilities_is_that_of_the_code() -> None:
    shown = [(row[0], tuple(code_spans(row[1])), row[2], row[3]) for row in table(PAGE, "What Spark does")]
    assert shown == [(one.name, one.commands, one.spark, one.note) for one in ABILITIES]


def test_the_settings_of_the_page_are_settings() -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", (DOCS / PAGE).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        assert load_settings(block, where="spark.md").engine.name == tomllib.loads(block)["engine"]["name"] == "spark"


MASTER = "spark://cluster.example:7077"
SAID = {
    "no Java": said("errors.engine_no_java"),
    "JAVA_HOME is wrong": said("errors.engine_java_home", folder="/opt/java"),
    "an old Java": said("errors.engine_java_old", version="11", least="17"),
    "no package": said("errors.engine_no_package", package="pyspark"),
    "nobody answers at the master": said("errors.engine_unreachable", master=MASTER),
    "a master without free workers": said("errors.engine_no_worker", master=MASTER, wait="2m"),
    "other versions on workers": said(
        "errors.engine_skew",
        differences=said("errors.engine_skew_two", name="numpy", here="2.4.1", there="2.3.0"),
    ),
    "a worker's memory": said("errors.engine_memory"),
    "a worker's disk": said("errors.engine_disk"),
    "a worker that is gone": said("errors.engine_lost"),
    "anything else in a task": said("errors.engine_failed", kind="ValueError"),
}


@pytest.mark.parametrize("what", SAID)
def test_what_is_told(what: str) -> None:
    told = {row[0]: row[1] for row in table(PAGE, "When something is missing")}
    assert told[what] == SAID[what]


def test_every_row_of_what_is_told_is_checked() -> None:
    assert [row[0] for row in table(PAGE, "When something is missing")] == list(SAID)
