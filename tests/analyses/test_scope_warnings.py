"""Warnings about conditions and periods that nothing meets."""

from __future__ import annotations

from pathlib import Path

import pytest

import percorso
from percorso.errors import SpecError
from tests.services.shop_workspace import VIEW, make_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> percorso.Percorso:
    folder: Path = tmp_path_factory.mktemp("shop")
    make_shop(folder)
    return percorso.open(folder)


def test_a_value_that_nothing_has(shop: percorso.Percorso) -> None:
    answer = shop.funnel(VIEW, where="country in (IT, FR) and not person.kind = known")
    assert answer.warnings[:2] == (
        "country = FR: nothing has it. There are: DE, IT.",
        "person.kind = known: nothing has it. There are: identified.",
    )


def test_a_period_without_events(shop: percorso.Percorso) -> None:
    (told,) = shop.flow(since="2020-01-01", until="2020-02-01").warnings
    assert told == "No events between 2020-01-01 and 2020-02-01; there are events from 2024-03-01 to 2024-03-09."
    assert "No events from 2030-01-01 on;" in shop.variants(since="2030-01-01").warnings[0]


def test_a_source_that_has_fallen_silent(shop: percorso.Percorso) -> None:
    assert not any("nothing newer" in told for told in shop.funnel(VIEW).warnings)
    told = [warning for warning in shop.funnel(VIEW, as_of="2024-06-01").warnings if "nothing newer" in warning]
    assert told
    assert told[0].endswith("has nothing newer than 2024-03-09: journeys may look abandoned.")


def test_options_of_a_wrong_kind_are_refused(shop: percorso.Percorso) -> None:
    with pytest.raises(SpecError, match="within is a text, not 7"):
        shop.funnel([VIEW], within=7)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="has no option 'colapse'") as caught:
        shop.flow(colapse=True)  # type: ignore[call-arg]
    assert "'collapse'" in caught.value.hint


def test_an_answer_says_itself_in_a_line(shop: percorso.Percorso) -> None:
    assert repr(shop.funnel(VIEW)).startswith("<Result steps: 1 row, unit=persons, entered=6, ")
