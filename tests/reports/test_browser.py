"""The report in a real browser that has no network: it asks for nothing, and prints on sensible pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from percorso.reports.spec import ReportSpec
from percorso.services.report import make_report
from tests.reports.browser import print_page, requests_of
from tests.reports.shop_report import make_report_shop

A4, A3_ACROSS = (210, 297), (420, 297)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return make_report(make_report_shop(folder / "shop"), ReportSpec(language="it")).save(folder / "report.html")


def test_it_asks_no_host_for_anything(page: Path, tmp_path: Path) -> None:
    """The browser's own background requests are to hosts of its maker; nothing else may be there."""
    asked = requests_of(page, tmp_path)
    assert not [url for url in asked if "evil.example" in url or "shop.example" in url]
    empty = tmp_path / "empty.html"
    empty.write_text("<!doctype html><title>nothing</title>", encoding="utf-8")
    other = tmp_path / "other"
    other.mkdir()
    hosts, usual = ({url.split("/")[2] for url in urls} for urls in (asked, requests_of(empty, other)))
    assert {host for host in hosts if not host.endswith((".google.com", ".googleapis.com", ".gvt1.com"))} <= usual


def test_a_request_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<!doctype html><title>x</title><img src="http://seen.example/x.png">', encoding="utf-8")
    assert any("seen.example" in url for url in requests_of(page, tmp_path))


def test_it_prints_on_a4_and_the_map_on_a3(page: Path, tmp_path: Path) -> None:
    pages = print_page(page, tmp_path)
    assert set(pages) == {A4, A3_ACROSS}
    assert pages.count(A3_ACROSS) == 1
    assert 8 <= len(pages) <= 30
