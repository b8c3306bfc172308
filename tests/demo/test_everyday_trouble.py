"""Trouble that every shop has: in the files, in the truth and on the journey map it is the same."""

from __future__ import annotations

import csv
import json
import re
import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from percorso.demo.files import FILES
from percorso.demo.frictions import DELIVERY_FAILED, NOT_COLLECTED, SIGN_IN_FAILED, TROUBLES, WRONG_AGAIN
from percorso.demo.simulate import Simulated
from percorso.facade import Percorso

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "demo-shop.md"
SIGNALS = {"sign-in": "sign_in_failed", "delivery": "delivery_failed", "pick-up": "not_collected"}


@pytest.fixture(scope="module")
def told(simulated: Simulated) -> dict[str, dict[str, Any]]:
    return json.loads(simulated.truth.read_text(encoding="utf-8"))["everyday_trouble"]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def deliveries(files: Path) -> list[dict[str, str]]:
    with (files / FILES["deliveries"].name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M")


def test_it_is_rare(told: dict[str, dict[str, Any]]) -> None:
    """Near the shares that it is drawn with; a third of the parcels have no working day for a try in vain."""
    shares = {name: one["failed"] / one["tried"] for name, one in told.items()}
    assert set(shares) == set(TROUBLES) == set(SIGNALS)
    wrong = SIGN_IN_FAILED / (1 - WRONG_AGAIN)  # of each sign-in; asked again, nobody mistypes
    assert 0.6 * wrong < shares["sign-in"] < wrong
    assert 0.4 * DELIVERY_FAILED < shares["delivery"] < 1.5 * DELIVERY_FAILED
    assert 0 < shares["pick-up"] < 3 * NOT_COLLECTED


def test_the_truth_counts_what_the_files_tell(
    told: dict[str, dict[str, Any]], files: Path, deliveries: list[dict[str, str]]
) -> None:
    tried: dict[str, set[str]] = {"Signed In": set(), "Sign In Failed": set()}
    for key in ("web", "app", "tablet"):
        for line in (files / FILES[key].name).read_text(encoding="utf-8").splitlines():
            if '"event":"Sign' in line:
                message = json.loads(line)
                tried.setdefault(message["event"], set()).add(message["messageId"])
    done, vain = len(tried["Signed In"]), len(tried["Sign In Failed"])
    assert (told["sign-in"]["tried"], told["sign-in"]["failed"]) == (done + vain, vain)
    for name, good, bad in (
        ("delivery", "Consegnato il", "Mancata consegna il"),
        ("pick-up", "Ritirato il", "Non ritirato il"),
    ):
        done, vain = (sum(bool(line[column]) for line in deliveries) for column in (good, bad))
        assert (told[name]["tried"], told[name]["failed"]) == (done + vain, vain)


def test_the_carrier_comes_in_vain_on_a_day_before(deliveries: list[dict[str, str]]) -> None:
    vain = [line for line in deliveries if line["Mancata consegna il"]]
    assert vain
    for line in vain:
        tried = moment(line["Mancata consegna il"])
        assert moment(line["Affidato il"]) < tried
        assert tried.weekday() != 6
        assert not line["Consegnato il"] or tried.date() < moment(line["Consegnato il"]).date()
        assert line["Motivo mancata consegna"]
    assert not any(line["Motivo mancata consegna"] for line in deliveries if not line["Mancata consegna il"])


def test_what_nobody_comes_for_is_paid_back(shop: Percorso) -> None:
    rows = shop.sql(
        "with ways as (select order_no, list(event) as events from events where order_no is not null group by all) "
        "select status, list_contains(events, 'Order Refunded') as repaid from orders join ways using (order_no) "
        "where list_contains(events, 'Order Not Collected')"
    ).to_pylist()
    assert rows
    assert all(row["status"] == ("refunded" if row["repaid"] else "live") for row in rows)


def test_the_map_shows_it(shop: Percorso, told: dict[str, dict[str, Any]]) -> None:
    answer = shop.map()
    assert set(answer.totals["signals_told"]) == {"payment_failed", *SIGNALS.values()}
    rows = answer.tables["signals"].to_pylist()
    for name, signal in SIGNALS.items():
        found = [row for row in rows if row["signal"] == signal]
        assert sum(row["hits"] for row in found) == told[name]["failed"]
        assert sum(row["n"] for row in found) == told[name]["tried"]


def test_the_question_of_the_docs_page_finds_it(shop: Percorso, told: dict[str, dict[str, Any]]) -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Everyday trouble")[1]
    command = re.findall(r"^```sh\n(percorso sql .*?)^```", section.replace("\\\n", " "), re.MULTILINE | re.DOTALL)[0]
    found = {row["event"]: row["n"] for row in shop.sql(shlex.split(command)[2]).to_pylist()}
    assert {event: found[event] for event in ("Sign In Failed", "Delivery Failed", "Order Not Collected")} == {
        "Sign In Failed": told["sign-in"]["failed"],
        "Delivery Failed": told["delivery"]["failed"],
        "Order Not Collected": told["pick-up"]["failed"],
    }
