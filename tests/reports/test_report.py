"""The report: one page, complete, closed to the outside, the same figures everywhere, in two languages."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from decimal import Decimal
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest

from percorso.analyses.spec import Scope
from percorso.errors import SpecError
from percorso.language.said import again
from percorso.language.words import Words, catalogue
from percorso.reports.document import ReportTable
from percorso.reports.spec import SECTIONS, ReportSpec
from percorso.services.map import ask_map
from percorso.services.report import Report, make_report
from percorso.services.sql import run_sql
from percorso.services.workspace import Workspace, open_workspace
from tests.lake_builder import event
from tests.reports.page_reader import PageReader, read_page
from tests.reports.shop_report import HOSTILE, make_report_shop
from tests.workspaces import make_workspace

LANGUAGES = ("en", "it")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_report_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def reports(workspace: Workspace) -> dict[str, Report]:
    return {language: make_report(workspace, ReportSpec(language=language)) for language in LANGUAGES}


@pytest.fixture(scope="module")
def pages(reports: dict[str, Report]) -> dict[str, PageReader]:
    return {language: read_page(report.as_html()) for language, report in reports.items()}


def test_the_page_is_well_formed(pages: dict[str, PageReader]) -> None:
    for language, page in pages.items():
        assert page.faults == []
        assert page.named("html")[0].attributes["lang"] == language
        assert len(page.named("title")) > 0
        ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids))


def test_pictures_are_well_formed_and_said_in_words(reports: dict[str, Report]) -> None:
    for report in reports.values():
        pictures = re.findall(r"<svg.*?</svg>", report.as_html(), re.DOTALL)
        assert len(pictures) > 15
        for picture in pictures:
            root = ElementTree.fromstring(picture)
            assert root.attrib["role"] == "img"
            assert root.find("{http://www.w3.org/2000/svg}title") is not None


def test_sections_stand_in_their_order(pages: dict[str, PageReader]) -> None:
    for page in pages.values():
        assert [element.attributes["id"] for element in page.named("section")] == list(SECTIONS)


def test_headings_step_down_one_at_a_time(pages: dict[str, PageReader]) -> None:
    for page in pages.values():
        levels = [level for level, _ in page.headings()]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_anchors_lead_somewhere(pages: dict[str, PageReader]) -> None:
    for page in pages.values():
        ids = {element.attributes.get("id") for element in page.elements}
        links = [element.attributes["href"] for element in page.named("a")]
        assert len(links) > len(SECTIONS)
        assert all(link.startswith("#") and link[1:] in ids for link in links)


def test_nothing_leaves_the_file(reports: dict[str, Report], pages: dict[str, PageReader]) -> None:
    for language, report in reports.items():
        page, html = pages[language], report.as_html()
        assert not page.named("script", "link", "iframe", "object", "embed", "img", "video", "audio", "base", "form")
        for element in page.elements:
            for name in ("src", "srcset", "action", "data", "poster", "background", "xlink:href", "style"):
                assert name not in element.attributes, element
            assert not [name for name in element.attributes if name.startswith("on")]
            assert element.name == "a" or "href" not in element.attributes
        style = page.named("style")[0].text
        assert "url(" not in style
        assert "@import" not in style
        assert "<script" not in html
        assert html.count("http://") == html.count('xmlns="http://www.w3.org/2000/svg"') + html.count("http://evil")
        assert len(html) < 3_000_000


def test_hostile_names_are_escaped(reports: dict[str, Report]) -> None:
    html = reports["en"].as_html()
    assert HOSTILE not in html
    assert "&lt;script src=" in html


def test_orders_and_value_are_equal_in_every_section(workspace: Workspace, pages: dict[str, PageReader]) -> None:
    query = "select person is null as nobody, count(*) as n, sum(value) as value from orders group by 1 order by 1"
    known, nobody = run_sql(workspace, query).to_pylist()
    for page in pages.values():
        counted = [element.attributes for element in page.named("section") if "data-orders" in element.attributes]
        assert [one["id"] for one in counted] == [
            *("kpis", "map", "funnel", "flow", "channels", "places", "journeys", "cohorts", "lifecycle", "quality")
        ]
        assert {(int(one["data-orders"]), Decimal(one["data-value"])) for one in counted} == {
            (known["n"], known["value"])
        }
        theirs = {(one["data-nobody"], one["data-nobody-value"]) for one in counted if one["data-nobody"]}
        assert {(int(n), Decimal(value)) for n, value in theirs} == {(nobody["n"], nobody["value"])}
        told = {one["id"] for one in counted if not one["data-nobody"]}
        assert told <= {"flow"}  # receipts of nobody have no journey


def test_which_orders_are_counted_is_told_once(workspace: Workspace, reports: dict[str, Report]) -> None:
    for report in reports.values():
        told = [section.key for section in report.document.sections if section.basis and section.basis.text]
        assert told == []
        assert report.as_html().count("Orders counted" if report.spec.language == "en" else "Ordini contati") == 1
    alone = make_report(workspace, ReportSpec(language="en", sections=("kpis", "channels")))
    assert [bool(section.basis and section.basis.text) for section in alone.document.sections] == [True, False]


def test_tables_of_channels_add_up_to_the_orders_counted(reports: dict[str, Report]) -> None:
    document = reports["en"].document
    (section,) = (one for one in document.sections if one.key == "channels")
    (table,) = (piece for piece in section.pieces if isinstance(piece, ReportTable))
    assert section.basis is not None
    at = table.heads.index("orders")
    assert table.heads[at + 1] == "without a customer"
    for column, wanted in ((at, section.basis.orders), (at + 1, section.basis.nobody)):
        assert sum(int(row[column].replace(",", "")) for row in table.rows) == int(wanted)


def test_no_personal_data(reports: dict[str, Report], workspace: Workspace) -> None:
    people = [row["person"] for row in run_sql(workspace, "select person from persons").to_pylist()]
    for report in reports.values():
        html = report.as_html()
        assert "mail.example" not in html
        assert not re.search(r"\bu\d{1,3}\b", html)
        assert not [person for person in people if person in html]


def test_every_text_comes_from_the_catalogue(pages: dict[str, PageReader]) -> None:
    """No English sentence in the Italian page, and the other way round."""
    for language, other in (("it", "en"), ("en", "it")):
        shown = " \n ".join(pages[language].shown)
        foreign = []
        for section in ("report", "quality", "charts", "plots", "map"):
            for key, entry in catalogue("texts").get(section, {}).items():
                for here, there in zip(_forms(entry[language]), _forms(entry[other]), strict=True):
                    fixed = max(re.split(r"\{\w+\}", there), key=len).strip(" .,:;()")
                    if here != there and len(fixed) > 12 and fixed in shown and fixed not in here:
                        foreign.append((section, key, fixed))
        assert foreign == []


def _forms(entry: object) -> list[str]:
    return list(entry.values()) if isinstance(entry, dict) else [str(entry)]


def test_summary(reports: dict[str, Report]) -> None:
    for report in reports.values():
        sentences = report.document.summary
        assert 5 <= len(sentences) <= 7
        assert all(sentence.section in report.document.keys for sentence in sentences)
        assert all("{" not in sentence.text for sentence in sentences)
    texts = " ".join(sentence.text for sentence in reports["en"].document.summary)
    assert "Most people are lost between" in texts
    assert "Before you act" in texts


def test_the_same_report_twice_has_the_same_bytes(workspace: Workspace, reports: dict[str, Report]) -> None:
    assert make_report(workspace, ReportSpec(language="it"), threads=1).as_html() == reports["it"].as_html()


def test_warnings_are_told_once_in_the_language_of_the_page(reports: dict[str, Report]) -> None:
    for language, report in reports.items():
        words = Words(language, is_for_page=True)
        told = [text for section in report.document.sections for text in section.warnings]
        assert len(told) == len(set(told)) > 2
        page, html = " ".join(told), unescape(report.as_html())
        assert all(html.count(f'<p class="warned">{text}</p>') == 1 for text in told)
        for name, answer in report.answers.items():
            for text in answer.warnings:
                is_finding = "quiet_source" in getattr(text, "key", "")  # which the section on quality says
                assert (again(text, words) in page) == (not is_finding and name != "map"), text


def test_stages_of_an_own_model_have_their_names(tmp_path: Path) -> None:
    own = make_report_shop(tmp_path)
    path = own.folder / "percorso.toml"
    signals = {"st_scout": ["aware"], "st_weigh": ["consider"], "st_buy": ["convert"], "st_stay": ["care", "advocate"]}
    tables = [
        f'[[stages.custom]]\nkey = "{key}"\nen = "En {key[3:]}"\nit = "It {key[3:]}"\nsignals = {json.dumps(reached)}\n'
        for key, reached in signals.items()
    ]
    settings = path.read_text(encoding="utf-8").replace('model = "retail"', 'model = "custom"')
    path.write_text("\n".join([settings, *tables]), encoding="utf-8")
    for language in LANGUAGES:
        html = make_report(open_workspace(own.folder), ReportSpec(language=language)).as_html()
        assert not [key for key in signals if key in html]
        assert html.count(f"{language.capitalize()} weigh") > 5


def test_the_map_has_the_figures_of_the_question(workspace: Workspace, reports: dict[str, Report]) -> None:
    """Its KPIs are those of the section on KPIs: they are asked for once."""
    mine = reports["en"].answers["map"]
    asked = ask_map(workspace, mine.spec, language="en")
    assert mine.tables == asked.tables
    assert mine.totals == asked.totals


def test_where_journeys_stop_does_not_depend_on_the_map(workspace: Workspace, reports: dict[str, Report]) -> None:
    alone = make_report(workspace, ReportSpec(language="en", sections=("journeys",)))
    assert set(alone.answers) == {"journeys", "stages"}
    (section,) = alone.document.sections
    assert section.pieces == next(s for s in reports["en"].document.sections if s.key == "journeys").pieces


def test_some_sections(workspace: Workspace) -> None:
    report = make_report(workspace, ReportSpec(language="en", sections=("quality", "summary")))
    assert report.document.keys == ("quality",)
    assert "map" not in report.answers
    assert read_page(report.as_html()).faults == []


def test_a_comparison(workspace: Workspace) -> None:
    scope = Scope(start="2024-03-01", end="2024-03-31", timezone="Europe/Rome")
    report = make_report(workspace, ReportSpec(scope=scope, language="en", sections=("summary", "kpis")))
    assert report.spec.compare == "previous"
    html = report.as_html()
    assert "1–29\xa0February 2024" in html
    told = make_report(workspace, replace(report.spec, compare="none"))
    assert "1–29\xa0February 2024" not in told.as_html()


def test_a_shop_with_next_to_nothing(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, [event("2024-03-01 10:00", "Something Odd", user_id="u")])
    for language in LANGUAGES:
        report = make_report(workspace, ReportSpec(language=language))
        page = read_page(report.as_html())
        assert page.faults == []
        missing = [element.text for element in page.named("p") if "missing" in element.attributes.get("class", "")]
        assert len(missing) >= 3
        assert [element.attributes["id"] for element in page.named("section")] == list(SECTIONS)


def test_wrong_questions() -> None:
    with pytest.raises(SpecError, match="no section 'kpi'"):
        ReportSpec(sections=("kpi",))
    with pytest.raises(SpecError, match="'de' is no language"):
        ReportSpec(language="de")
    with pytest.raises(SpecError, match="cannot compare"):
        ReportSpec(compare="yesterday")


def test_structure(reports: dict[str, Report]) -> None:
    """What stands in the page, section by section: the golden file is read by eye."""
    golden = Path(__file__).parent / "golden" / "structure.json"
    found = {section.key: [_outline(piece) for piece in section.pieces] for section in reports["it"].document.sections}
    assert found == json.loads(golden.read_text(encoding="utf-8"))


def _outline(piece: object) -> str:
    title = getattr(piece, "chart", None)
    name = title.title if title is not None else getattr(piece, "caption", "") or getattr(piece, "title", "")
    kind = piece.kind  # type: ignore[attr-defined]
    tone = getattr(piece, "tone", "")
    return " ".join(part for part in (kind, tone, name if kind != "poster" else "") if part)
