"""What the package offers, and that the door only opens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import percorso
from tests.services.shop_workspace import ADD, BUY, VIEW, make_shop


def test_exported_names() -> None:
    assert percorso.__all__ == [
        "ChannelsSpec",
        "ContactCell",
        "FlowCell",
        "FlowSpec",
        "FunnelCell",
        "FunnelSpec",
        "JourneysCell",
        "JourneysSpec",
        "KpisSpec",
        "LifecycleCell",
        "LifecycleSpec",
        "MapSpec",
        "Percorso",
        "PercorsoError",
        "PlacesSpec",
        "QualitySpec",
        "ReportSpec",
        "Result",
        "RetentionCell",
        "RetentionSpec",
        "Scope",
        "StagesSpec",
        "TimeoutCell",
        "TimeoutsSpec",
        "TouchpointsSpec",
        "VariantCell",
        "VariantsSpec",
        "__version__",
        "open",
    ]
    assert all(getattr(percorso, name) is not None for name in percorso.__all__)
    assert dir(percorso) == sorted(percorso.__all__)


def test_methods_of_a_workspace() -> None:
    assert [name for name in dir(percorso.Percorso) if not name.startswith("_")] == [
        "build",
        "channels",
        "channels_spec",
        "customer",
        "draw_map",
        "erase",
        "explain",
        "explain_event",
        "export_person",
        "flow",
        "flow_spec",
        "funnel",
        "funnel_spec",
        "identity_report",
        "import_files",
        "journeys",
        "journeys_spec",
        "kpi_people",
        "kpis",
        "kpis_spec",
        "lifecycle",
        "lifecycle_spec",
        "link",
        "map",
        "map_spec",
        "people",
        "places",
        "places_spec",
        "quality",
        "quality_spec",
        "report",
        "report_spec",
        "retention",
        "retention_spec",
        "segment",
        "segments",
        "sql",
        "stages",
        "stages_spec",
        "suggest_timeout",
        "suggest_timeout_spec",
        "touchpoints",
        "touchpoints_spec",
        "unlink",
        "variants",
        "variants_spec",
    ]


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Shop'"):
        percorso.Shop  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = "import percorso, sys; print([name for name in ('numba', 'pyarrow', 'numpy') if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> percorso.Percorso:
    folder = tmp_path_factory.mktemp("shop")
    make_shop(folder)
    return percorso.open(folder)


def test_questions(shop: percorso.Percorso) -> None:
    answer = shop.funnel([VIEW, ADD, BUY], within="1d")
    assert answer.table.column("count").to_pylist() == [6, 5, 3]
    edges = {(row["from"], row["to"]): row["count"] for row in shop.flow(per="person").table.to_pylist()}
    assert edges[(VIEW, ADD)] == 5
    assert shop.variants(per="person", top=1).table.column("count").to_pylist() == [3]
    assert shop.sql("select count(*) as n from persons").to_pylist()[0]["n"] >= 6
    assert [event.event for event in shop.customer("u0").history.events] == [VIEW, ADD, BUY]
    assert not shop.build().built


def test_questions_over_time(shop: percorso.Percorso) -> None:
    journeys = shop.journeys(by="first_channel", kind="purchase")
    assert (journeys.totals["converted"], journeys.totals["open"]) == (3, 3)
    assert shop.people(journeys, percorso.JourneysCell(outcome="open", group="Email")).totals["count"] == 3
    retention = shop.retention(unit="day", periods=2)
    assert retention.totals["persons"] == 3
    cell = percorso.RetentionCell(cohort="2024-03-01", k=1, stayed=False)
    assert shop.people(retention, cell).totals["count"] == 1
    lifecycle = shop.lifecycle(unit="day")
    assert shop.people(lifecycle, percorso.LifecycleCell(what="prospect")).totals["count"] == 3
    suggestion = shop.suggest_timeout(at_most=0.1)
    assert suggestion.totals["converted"] == 3
    assert shop.people(suggestion, percorso.TimeoutCell(days=7)).totals["count"] == 0
    with pytest.raises(percorso.PercorsoError, match="another kind of question"):
        shop.people(lifecycle, cell)
    with pytest.raises(percorso.PercorsoError, match="at_most is a number"):
        shop.suggest_timeout(at_most="much")  # type: ignore[arg-type]


def test_people(shop: percorso.Percorso) -> None:
    answer = shop.funnel([VIEW, ADD, BUY])
    people = shop.people(answer, percorso.FunnelCell(step=ADD, dropped=True))
    assert people.table.num_rows == 2
    assert people.totals["count"] == 2
    flow = shop.flow_spec(per="person")
    assert shop.people(flow, percorso.FlowCell(source=VIEW, target=ADD)).table.num_rows == 5
    variants = shop.variants_spec(per="person", top=1)
    assert shop.people(variants, percorso.VariantCell(path=(VIEW, ADD, BUY))).table.num_rows == 3
    assert shop.people(variants, percorso.VariantCell()).table.num_rows == 3
    with pytest.raises(percorso.PercorsoError, match="another kind of question"):
        shop.people(answer, percorso.VariantCell())


def test_identity(tmp_path: Path) -> None:
    make_shop(tmp_path / "shop")
    shop = percorso.open(tmp_path / "shop")
    before = shop.identity_report().identified
    assert shop.explain("u0").placed_by[0].rule == "strong"
    assert shop.explain_event(shop.explain("u0").placed_by[0].example.event.message_id).rule == "strong"
    assert shop.link("u0", "u1", reason="one person").state == "linked"
    assert shop.identity_report().identified == before - 1
    assert shop.unlink("u0", "u1", reason="a mistake").state == "undecided"
    assert len(shop.export_person("u0")["events"]) == 3
    assert shop.erase("u0", reason="request of 3 May").done
    assert shop.identity_report().identified == before - 1
    with pytest.raises(percorso.PercorsoError, match="Nobody is known"):
        shop.explain("u0")


def test_scope_options(shop: percorso.Percorso) -> None:
    answer = shop.funnel([VIEW, BUY], since="2024-03-02", until="2024-03-03", where="person.country = IT")
    assert answer.table.column("count").to_pylist() == [1, 1]
    assert answer.spec.scope.timezone == "Europe/Rome"


def test_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(percorso.PercorsoError):
        percorso.open(tmp_path / "none")


def test_quality_and_report(shop: percorso.Percorso, tmp_path: Path) -> None:
    quality = shop.quality(since="2024-03-01")
    assert quality.totals["bot_events"] == 1
    assert quality.spec == shop.quality_spec(since="2024-03-01")
    report = shop.report(language="it", sections=("quality", "funnel"), until="2024-03-05")
    assert report.document.keys == ("funnel", "quality")
    assert report.save(tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_charts_speak_the_language_of_the_workspace(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    make_shop(folder)
    settings = folder / "percorso.toml"
    own = "\n".join(
        f'[[stages.custom]]\nkey = "{key}"\nen = "En {key}"\nit = "It {key}"\nsignals = {signals}\n'
        for key, signals in (
            ("look", '["aware"]'),
            ("weigh", '["consider"]'),
            ("buy", '["convert"]'),
            ("stay", '["care", "advocate"]'),
        )
    )
    text = settings.read_text(encoding="utf-8").replace('model = "retail"', 'model = "custom"')
    settings.write_text(text.replace('language = "en"', 'language = "it"') + "\n" + own, encoding="utf-8")
    shop = percorso.open(folder)
    stages = shop.stages()
    assert "Quante persone in ogni fase" in stages.plot().title
    assert "It look" in stages.plot().svg
    assert stages.plot(language="en").title == "How many are at each stage"
    assert "En look" in stages.plot(language="en").svg
    assert "words" not in stages.as_json()
    for answer in (shop.kpis("orders"), shop.quality(), shop.suggest_timeout(), shop.flow(), shop.channels()):
        assert answer.plot().language == "it"
