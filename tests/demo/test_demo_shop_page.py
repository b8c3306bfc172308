"""The questions of docs/concepts/demo-shop.md, asked of the small shop: they run, and show what was planted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from percorso.demo.frictions import FRICTIONS
from percorso.facade import Percorso

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "demo-shop.md"


def queries() -> dict[str, str]:
    """Heading -> SELECT."""
    text = PAGE.read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.findall(r"^### \d\. (.+?)$.*?^```sh\n(percorso sql .*?)^```", text, re.MULTILINE | re.DOTALL)
    return {heading: shlex.split(command)[2] for heading, command in found}


QUERIES = queries()


@pytest.fixture(scope="module")
def answers(shop: Percorso) -> dict[str, list[dict[str, Any]]]:
    return {heading: shop.sql(query).to_pylist() for heading, query in QUERIES.items()}


def test_there_is_a_question_for_each_friction_and_the_delight() -> None:
    assert len(QUERIES) == len(FRICTIONS) + 1


def test_all_have_answers(answers: dict[str, list[dict[str, Any]]]) -> None:
    assert all(answers.values())


def test_bulky_checkouts_are_left_and_others_too(answers: dict[str, list[dict[str, Any]]]) -> None:
    found = {row["bulky"]: row["checkouts"] for row in answers["The last step of the checkout"]}
    assert found[False] > found[True] > 0


def test_slow_pages_are_those_of_may_and_june(answers: dict[str, list[dict[str, Any]]]) -> None:
    slow = {row["month"].month for row in answers["Slow pages"] if row["load_ms"] > 4_000}
    assert slow == {5, 6}


def test_carts_are_gone_now_and_then(answers: dict[str, list[dict[str, Any]]]) -> None:
    assert any(row["empty"] > 0 for row in answers["Carts that are gone"])


def test_payments_fail_on_android(answers: dict[str, list[dict[str, Any]]]) -> None:
    rows = answers["Payments that fail"]
    android = sum(row["failed"] for row in rows if row["os"] == "Android")
    tried = sum(row["tried"] for row in rows if row["os"] == "Android")
    others = sum(row["failed"] for row in rows if row["os"] != "Android")
    assert android / tried > others / sum(row["tried"] for row in rows if row["os"] != "Android")
