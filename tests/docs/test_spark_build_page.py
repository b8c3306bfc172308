"""The worked example of docs/concepts/spark-build.md, placed by tasks that share nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from percorso.identity.placement import person_id
from percorso.settings import IdentitySettings
from tests.docs_tables import code_spans, table
from tests.identity.compiled import SECRET
from tests.identity.spread import persons_of_a_cluster
from tests.lake_builder import event

PAGE = "concepts/spark-build.md"
DAYS = {"next day": "2024-03-02T09:00"}


def told(file: str, number: str, carries: str, time: str) -> dict[str, Any]:
    """An event of the example's table."""
    found: dict[str, Any] = {}
    for text in code_spans(carries):
        kind = "email" if "@" in text else "order_id" if text.startswith("O-") else "card_token"
        found["anonymous_id" if re.fullmatch("[a-z]", text) else kind] = text
    kind = {"web": "web", "till": "pos", "post": "delivery"}[file]
    return (
        event(DAYS.get(time, f"2024-03-01T{time}"), "Page Viewed", source=file, source_kind=kind, message_id=number)
        | found
    )


def test_the_example(tmp_path: Path) -> None:
    rows = [told(*cells) for cells in table(PAGE, "An example")]
    rows[2]["order_id"] = "O-1"  # "event 3 is its order"
    found = persons_of_a_cluster(rows, IdentitySettings(), tmp_path, n_parts=5)
    anna = person_id(SECRET, b"email\0\0anna@posta.example")
    assert [
        (number, *found[source, number][:2]) for source, number in [(row["source"], row["message_id"]) for row in rows]
    ] == [
        ("1", anna, "login_after"),
        ("2", anna, "strong"),
        ("3", anna, "strong"),
        ("4", anna, "reference"),
    ]
