"""`percorso map` on a real workspace: the terminal, the files, the pictures, both languages."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from percorso.cli.main import run
from tests.lake_builder import event
from tests.services.shop_workspace import make_shop
from tests.workspaces import make_workspace

pytestmark = pytest.mark.usefixtures("both_engines")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("map") / "shop").folder


def told(shop: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert run(["-w", str(shop), "map", *options]) == 0
    return capsys.readouterr().out


def test_the_terminal_goes_stage_by_stage(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = told(shop, capsys, "--language", "en")
    stages = [line.split(":")[0] for line in page.splitlines() if re.match(r"\w+: \d+ persons? ", line)]
    assert stages == ["Awareness", "Consideration", "Conversion", "Retention", "Advocacy"]
    assert "Touchpoints" in page
    assert "Channels" in page


def test_json_and_csv_hold_every_cell(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = json.loads(told(shop, capsys, "--json"))
    rows = list(csv.DictReader(io.StringIO(told(shop, capsys, "--format", "csv"))))
    assert {row["stage"] for row in rows} == {row["stage"] for row in body["stages"]}
    shares = {(row["stage"], row["lane"], row["item"]): row["share"] for row in body["cells"]}
    lanes = {(row["stage"], row["lane"], row["item"]): row["value"] for row in rows}
    assert shares
    for key, share in shares.items():
        assert (lanes[key] == "") == (share is None)
        assert share is None or float(lanes[key]) == pytest.approx(share)
    assert sum(row["orders"] for row in body["stages"]) == body["orders"]


@pytest.mark.parametrize(("language", "title"), [("en", "The customer journey"), ("it", "Il percorso dei clienti")])
def test_pictures_stand_alone(shop: Path, tmp_path: Path, language: str, title: str) -> None:
    page, picture = tmp_path / "map.html", tmp_path / "map.svg"
    for file in (page, picture):
        assert run(["-w", str(shop), "map", "--language", language, "--output", str(file)]) == 0
    svg = ET.parse(picture).getroot()
    assert svg.get("lang") == language
    texts = {"".join(part.itertext()) for part in svg.iter() if part.tag.endswith("text")}
    assert title in texts
    html = page.read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in html
    # One file, which asks nobody for anything: no address but the name of the picture's format.
    for content in (html, picture.read_text(encoding="utf-8")):
        assert set(re.findall(r"https?://[^\s\"'<>]+", content)) == {"http://www.w3.org/2000/svg"}
        assert not re.search(r"<script|<link|\bsrc=|\bhref=|url\(|@import", content)


def test_all_texts_of_the_poster_lie_on_it(shop: Path, tmp_path: Path) -> None:
    picture = tmp_path / "map.svg"
    assert run(["-w", str(shop), "map", "--output", str(picture)]) == 0
    svg = ET.parse(picture).getroot()
    width, height = (float(size) for size in (svg.get("viewBox") or "").split()[2:])
    assert width == 1588
    for part in svg.iter():
        if part.tag.endswith("text"):
            assert 0 <= float(part.get("x", "0")) <= width
            assert 0 <= float(part.get("y", "0")) <= height


def test_what_cannot_be_written_is_told(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(shop), "map", "--output", str(tmp_path / "map.pdf")]) == 2
    assert "how should it be written" in capsys.readouterr().err
    assert run(["-w", str(shop), "map", "--persona", "nobody"]) == 2
    assert "no segment or persona 'nobody'" in capsys.readouterr().err
    assert run(["-w", str(shop), "map", "--language", "de"]) == 2
    assert run(["-w", str(shop), "map", "--json", "--format", "svg"]) == 2


def test_the_head_says_of_which_orders_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Persons' orders, their value and the average of the two agree; receipts without a customer stand beside."""
    till = {"source": "pos", "source_kind": "pos", "currency": "EUR"}
    rows = [event("2024-03-01 10:00", "Order Completed", user_id="anna", order_id="o1", value=9000, **till)]
    rows.append(event("2024-03-01 11:00", "Order Completed", order_id="o2", value=3000, **till))
    folder = make_workspace(tmp_path / "shop", rows).folder
    page = told(folder, capsys, "--language", "en")
    assert "orders: 1 (and 1 without a customer (€30.00))   value: €90.00   " in page
    assert "average order value: €90.00 (of all orders: €60.00)" in page
    assert "no source tells of any" in page
    assert "does not apply: purchases end before" not in page.split("Retention")[0]
    italian = told(folder, capsys, "--language", "it")
    assert "più 1 senza cliente" in italian
    assert "valore medio dell'ordine" in italian
    assert "scontrino medio" not in italian


def test_exits_do_not_apply_after_the_order(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = told(shop, capsys, "--language", "en")
    *_, advocacy = page.split("Advocacy: ")
    assert "does not apply: purchases end before" in advocacy
    assert "Between the stages: the share of those who came" in page


def test_categories_and_pages_have_their_own_headings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = {"user_id": "anna", "category": "drums", "url": "https://shop.example/p/a"}
    page = told(
        make_workspace(tmp_path / "shop", [event("2024-03-01 10:00", "Product Viewed", **fields)]).folder, capsys
    )
    assert re.search(r"Categories, drums [^,]+, Pages, /p/a", page)


def test_the_first_page_has_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = event("2024-03-01 10:00", "Page Viewed", user_id="anna", url="https://shop.example/")
    assert "/ (home page)" in told(make_workspace(tmp_path / "shop", [home]).folder, capsys)


@pytest.mark.parametrize(
    ("tries", "shown"), [(29, "sign-ins that failed only n = 29"), (30, "sign-ins that failed 3.3")]
)
def test_trouble_of_few_attempts_has_no_share(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tries: int, shown: str
) -> None:
    names = ["Sign In Failed", *["Signed In"] * (tries - 1)]
    rows = [event(f"2024-03-01 10:{minute:02}", name, user_id="anna") for minute, name in enumerate(names)]
    page = told(make_workspace(tmp_path / "shop", rows).folder, capsys, "--language", "en").replace("\xa0", " ")
    assert shown in " ".join(page.split())


def test_a_period_without_events_is_told_as_asked(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = told(shop, capsys, "--language", "en", "--from", "2030-01-01").replace("\xa0", " ")
    assert "From 1 January 2030 · all customers" in page
    assert "No events from 2030-01-01 on" in page
    both = told(shop, capsys, "--language", "en", "--from", "2030-01-01", "--to", "2030-01-31")
    assert "January 2030" in both.splitlines()[1]
    assert "2024" not in both.splitlines()[1]
    assert run(["-w", str(shop), "map", "--from", "2024-03-05", "--to", "2024-03-01"]) == 2
    assert "The period ends before it begins" in capsys.readouterr().err
