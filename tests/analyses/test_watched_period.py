"""Which period to ask for instead of one that is too young: told when it is asked."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import percorso
from percorso.analyses.basis import basis_of
from percorso.analyses.channels import ChannelsSpec, run_channels
from percorso.analyses.kpis import KpisSpec, run_kpis
from percorso.analyses.places import PlacesSpec, run_places
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.analyses.touchpoints import TouchpointsSpec, run_touchpoints
from percorso.analyses.watched_period import AskedPeriod, ask_instead
from percorso.cli.main import run
from percorso.language.said import again
from percorso.language.words import Words
from percorso.services.build import fresh_log
from percorso.store.journey_log import JourneyLog
from tests.lake_builder import event
from tests.workspaces import change_settings, make_workspace

ZONE = "Europe/Rome"
FIRST = datetime(2024, 1, 1, 12)
DAYS = 120  # over the night in which clocks change
TIMEOUTS = {"30d": timedelta(days=30), "7d": timedelta(days=7), "12h": timedelta(hours=12), "60d": timedelta(days=60)}


def rows_of_shop(days: int = DAYS) -> list[dict[str, Any]]:
    """Each day one person looks at something, and one who bought it; times are UTC."""
    rows = []
    for day in range(days):
        at = FIRST + timedelta(days=day)
        rows += [event(at, "Product Viewed", user_id=f"a{day}"), event(at, "Product Viewed", user_id=f"b{day}")]
        named = {"user_id": f"b{day}", "order_id": f"{day}", "value": 100, "currency": "EUR"}
        rows.append(event(at + timedelta(minutes=5), "Order Completed", **named))
    return rows


def log_of(folder: Path, timeout: str, days: int = DAYS) -> tuple[JourneyLog, Any]:
    workspace = make_workspace(folder, rows_of_shop(days), timezone=ZONE)
    workspace = change_settings(workspace, 'timeout = "30d"\n# A message', f'timeout = "{timeout}"\n# A message')
    return fresh_log(workspace), basis_of(workspace.settings)


def ask(log: JourneyLog, basis: Any, key: str, **period: Any) -> Result:
    last = period.pop("last", "")
    return run_kpis(KpisSpec(scope=Scope(timezone=ZONE, **period), last=last, kpis=(key,)), log, basis)


def hint(warnings: tuple[str, ...]) -> str:
    (found,) = [text for text in warnings if "watched" in text]
    return found


def dates(text: str) -> tuple[str, str]:
    return tuple(re.search(rf"--{word} (\d{{4}}-\d\d-\d\d)", text)[1] for word in ("from", "to"))  # type: ignore


def watched_until(timeout: timedelta, as_of_us: int) -> date:
    """The last day whose end lies a time-out before the as-of time, day by day."""
    day = date(2024, 6, 1)
    while True:
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(ZONE))
        if (midnight.timestamp() + timeout.total_seconds()) * 1e6 <= as_of_us + 1:
            return day
        day -= timedelta(days=1)


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_conversion_says_what_to_ask_instead(tmp_path: Path, timeout: str) -> None:
    log, basis = log_of(tmp_path / "shop", timeout)
    for key in ("conversion_rate", "conversion_one_place"):
        # A period of less than the time-out that ends now is always too young.
        last = {"30d": "30d", "7d": "7d", "12h": "1d", "60d": "45d"}[timeout]
        answer = ask(log, basis, key, last=last)
        (row,) = answer.table.to_pylist()
        assert row["value"] is None
        first, until = dates(hint(answer.warnings))
        assert f"watched for {timeout}" in hint(answer.warnings)
        assert date.fromisoformat(until) == watched_until(TIMEOUTS[timeout], log.as_of_us)
        assert (date.fromisoformat(until) - date.fromisoformat(first)).days + 1 == int(last[:-1])
        instead = ask(log, basis, key, start=first, end=until)
        assert instead.table.to_pylist()[0]["value"] == 0.5
        assert not [text for text in instead.warnings if "watched" in text]


def test_it_is_said_in_the_reader_s_language(tmp_path: Path) -> None:
    log, basis = log_of(tmp_path / "shop", "30d")
    (text,) = [one for one in ask(log, basis, "conversion_rate", last="30d").warnings if "watched" in one]
    # The last order comes on 29 April; of 30 March not all was watched for 30 days.
    assert text == (
        "Too young to tell: Conversion rate. The latest period of this length that has been watched for 30d: "
        "percorso kpis --from 2024-02-29 --to 2024-03-29"
    )
    assert again(text, Words("it")) == (
        "Troppo presto per dirlo: Tasso di conversione. L'ultimo periodo di questa durata osservato per 30g: "
        "percorso kpis --from 2024-02-29 --to 2024-03-29"
    )


def test_commands_and_the_facade_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_workspace(tmp_path / "shop", rows_of_shop(), timezone=ZONE)
    options = "--from 2024-02-29 --to 2024-03-29"
    command = ["-w", str(tmp_path / "shop"), "kpis", "--last", "30d", "--kpi", "conversion_rate"]
    assert run([*command, "--language", "it"]) == 0
    assert f"osservato per 30g: percorso kpis {options}" in " ".join(capsys.readouterr().out.split())
    assert run([*command, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert [text for text in body["warnings"] if text.endswith(f"watched for 30d: percorso kpis {options}")]
    shop = percorso.open(tmp_path / "shop")
    assert hint(shop.kpis("conversion_rate", last="30d").warnings).endswith(f"percorso kpis {options}")
    instead = shop.kpis("conversion_rate", since="2024-02-29", until="2024-03-29")
    assert instead.table.to_pylist()[0]["value"] == 0.5


def test_another_order_is_watched_for_days_of_the_calendar(tmp_path: Path) -> None:
    log, basis = log_of(tmp_path / "shop", "30d")
    answer = ask(log, basis, "repeat_purchase_90", start="2024-04-01", end="2024-04-10")
    first, until = dates(hint(answer.warnings))
    assert (first, until) == ("2024-01-21", "2024-01-30")  # 90 days before 29 April
    assert ask(log, basis, "repeat_purchase_90", start=first, end=until).table.to_pylist()[0]["value"] == 0


def test_a_period_longer_than_the_data_were_watched_has_no_start(tmp_path: Path) -> None:
    """Nobody is sent to a day before the data begin."""
    log, _ = log_of(tmp_path / "shop", "30d")
    scope = Scope(timezone=ZONE, start="2024-01-02", end="2024-04-29")
    start, end = scope.start_us(), scope.end_us()
    assert start is not None
    assert end is not None
    answer = ask_instead(AskedPeriod("kpis", ZONE, log.as_of_us, start, end), log)
    assert answer == "What has been watched for 30d: percorso kpis --to 2024-03-29"


def test_young_data_say_when_to_ask_again(tmp_path: Path) -> None:
    """Ten days from 1 January: the whole of the 9th has been watched for thirty days when 8 February is over."""
    log, basis = log_of(tmp_path / "shop", "30d", days=10)
    of_day = hint(ask(log, basis, "conversion_rate", start="2024-01-09", end="2024-01-09").warnings)
    assert of_day.endswith("Nothing has been watched for 30d yet: it can be told from 2024-02-09 on.")
    of_all = hint(ask(log, basis, "conversion_rate").warnings)
    assert of_all.endswith("it can be told from 2024-02-01 on.")
    of_orders = hint(ask(log, basis, "repeat_purchase_90", start="2024-01-09", end="2024-01-09").warnings)
    assert of_orders.endswith("Nothing has been watched for 90d yet: it can be told from 2024-04-08 on.")


@pytest.mark.parametrize("noun", ["channels", "places", "touchpoints"])
def test_contacts_say_it_too(tmp_path: Path, noun: str) -> None:
    log, basis = log_of(tmp_path / "shop", "30d")

    def told(scope: Scope) -> Result:
        if noun == "channels":
            return run_channels(ChannelsSpec(scope=scope), log, basis)
        if noun == "places":
            return run_places(PlacesSpec(scope=scope), log, basis)
        return run_touchpoints(TouchpointsSpec(scope=scope), log, basis)

    young = told(Scope(timezone=ZONE, start="2024-04-01"))
    assert {row["conversion_missing"] for row in young.table.to_pylist()} == {"too_young"}
    text = hint(young.warnings)
    assert f"percorso {noun} --from" in text
    first, until = dates(text)
    assert until == "2024-03-29"
    old = told(Scope(timezone=ZONE, start=first, end=until))
    assert {row["conversion"] for row in old.table.to_pylist() if row["journeys"] > 29} <= {0.5, 1.0}
    assert {row["conversion_missing"] for row in old.table.to_pylist()} == {None}
    assert not [text for text in old.warnings if "watched" in text]
    # Of all there is enough is old.
    assert not [text for text in told(Scope(timezone=ZONE)).warnings if "watched" in text]
