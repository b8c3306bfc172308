"""`percorso channels`, `places`, `touchpoints`, `stages` and their people on a small workspace, with ad costs."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import percorso
from percorso.cli.main import run
from percorso.services.import_request import ImportRequest
from percorso.services.imports import import_files
from tests.services.shop_workspace import make_shop

pytestmark = pytest.mark.usefixtures("both_engines")

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six persons and a robot, all brought by e-mail; three buy. The e-mails cost 30 euros in March."""
    folder = tmp_path_factory.mktemp("shop")
    workspace = make_shop(folder)
    costs = tmp_path_factory.mktemp("costs") / "costs.csv"
    costs.write_text(
        "date,utm_source,utm_medium,campaign,cost,currency,impressions,clicks\n"
        "2024-03-02,post,email,spring,30.00,EUR,1,1\n"
        "2024-03-03,instagram,paid_social,spring,5.00,EUR,1,1\n"
        "2024-02-01,post,email,winter,9.00,EUR,1,1\n",
        encoding="utf-8",
    )
    import_files(workspace, ImportRequest(files=(str(costs),)))
    assert run(["-w", str(folder), "build"]) == 0
    return folder


def told(folder: Path, capsys: Captured, *arguments: str) -> Any:
    capsys.readouterr()
    assert run(["-w", str(folder), *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("command", ["channels", "places", "touchpoints", "stages"])
def test_tables_and_json(folder: Path, capsys: Captured, command: str) -> None:
    body = told(folder, capsys, command)
    assert (body["orders"], body["value"], body["currency"]) == (3, 75.0, "EUR")
    assert sum(row["orders"] for row in body[command]) == 3
    assert run(["-w", str(folder), command]) == 0
    page = capsys.readouterr().out
    assert command.capitalize() in page
    assert "3 orders of known customers, 75.00 EUR." in page
    broken = told(folder, capsys, command, "--by", "person.country")
    assert {row["person.country"] for row in broken[command]} == {"DE", "IT"}


def test_costs_of_channels(folder: Path, capsys: Captured) -> None:
    body = told(folder, capsys, "channels", "--from", "2024-03-01")
    (email,) = body["channels"]
    assert email["inbound"] == 14
    assert (email["cost"], email["cost_per_contact"], email["cost_per_new"]) == (30.0, 2.14, 5.0)
    assert any("Cost without a contact: Paid Social." in warning for warning in body["warnings"])
    assert "cost" not in told(folder, capsys, "channels", "--where", "country = IT")["channels"][0]
    whole = percorso.open(folder).channels().table.to_pylist()
    assert whole[0]["cost"] == Decimal("39.00")


@pytest.mark.parametrize(
    ("cell", "persons"),
    [
        (("channels", "--channel", "Email"), 6),
        (("channels", "--channel", "Email", "--role", "bought"), 3),
        (("places", "--place", "site", "--role", "new"), 6),
        (("touchpoints", "--touchpoint", "cart", "--role", "last"), 5),
        (("stages", "--stage", "conversion"), 5),
        (("stages", "--stage", "awareness", "--role", "skipped", "--by", "person.country", "--group", "IT"), 2),
    ],
)
def test_people(folder: Path, capsys: Captured, cell: tuple[str, ...], persons: int) -> None:
    assert told(folder, capsys, "people", *cell)["count"] == persons


def test_people_from_python(folder: Path) -> None:
    shop = percorso.open(folder)
    answer = shop.touchpoints()
    assert shop.people(answer, percorso.ContactCell(name="order", role="bought")).table.num_rows == 3
    assert shop.people(shop.stages_spec(), percorso.ContactCell(name="conversion")).table.num_rows == 5
    with pytest.raises(percorso.PercorsoError, match="another kind of question"):
        shop.people(answer, percorso.FunnelCell(step=1))
    with pytest.raises(percorso.PercorsoError, match="no option 'steps'"):
        shop.channels(steps=3)  # type: ignore[call-arg]
