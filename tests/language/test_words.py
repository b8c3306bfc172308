"""The catalogue: both languages, placeholders that agree, nothing asked for in vain, nothing left over."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from percorso.analyses.history import RELATIONSHIPS
from percorso.analyses.outcomes import ALL_OUTCOMES
from percorso.errors import SpecError
from percorso.language.said import Codes, again, said
from percorso.language.words import LANGUAGES, Family, Words, capital, catalogue, names_of
from percorso.settings.stages import STAGE_MODELS

SOURCES = Path(__file__).resolve().parents[2] / "src" / "percorso"


def texts() -> Iterator[tuple[str, Any]]:
    for section, entries in catalogue("texts").items():
        for key, entry in entries.items():
            yield f"{section}.{key}", entry


def forms(entry: Any, language: str) -> list[str]:
    """The plural forms of a text, or its only one."""
    template = entry[language]
    return [template] if isinstance(template, str) else list(template.values())


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def says(function: ast.expr) -> bool:
    """Is it `words.text` or `said`?"""
    match function:
        case ast.Attribute(attr="text") | ast.Name(id="said"):
            return True
        case _:
            return False


def calls() -> Iterator[tuple[str, set[str], str]]:
    """Every call of `.text("section.key", ...)` or `said(...)` in the sources: key, names of its values, where."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and says(node.func)):
                continue
            if not (node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)):
                continue
            if not re.fullmatch(r"[a-z]+\.[a-z_]+", node.args[0].value):
                continue  # another kind of text
            values = {keyword.arg or "**" for keyword in node.keywords}
            yield node.args[0].value, values, f"{path.relative_to(SOURCES)}:{node.lineno}"


@pytest.mark.parametrize("file", ["texts", "names"])
def test_every_entry_is_written_in_every_language(file: Any) -> None:
    for section, entries in catalogue(file).items():
        for key, entry in entries.items():
            assert set(entry) == set(LANGUAGES), f"{section}.{key}"
            for language in LANGUAGES:
                for template in forms(entry, language):
                    assert template.strip(), f"{section}.{key}"
                    assert "  " not in template, f"{section}.{key}"


def test_placeholders_agree_between_languages_and_forms() -> None:
    for key, entry in texts():
        whole = [placeholders(forms(entry, language)[-1]) for language in LANGUAGES]
        assert whole[0] == whole[1], key
        for language in LANGUAGES:
            assert all(placeholders(form) <= whole[0] for form in forms(entry, language)), key


def test_plural_texts_have_both_forms_in_both_languages() -> None:
    for key, entry in texts():
        kinds = {isinstance(entry[language], str) for language in LANGUAGES}
        assert len(kinds) == 1, key
        if kinds == {False}:
            assert all(list(entry[language]) == ["one", "other"] for language in LANGUAGES), key
            assert "n" in placeholders(entry["en"]["other"]), key


def test_every_text_that_is_asked_for_exists_and_gets_its_values() -> None:
    known = dict(texts())
    for key, values, where in calls():
        assert key in known, where
        if "**" not in values:
            assert values == placeholders(forms(known[key], "en")[-1]), where


def test_no_text_is_left_over() -> None:
    assert {key for key, _ in texts()} - {key for key, _, _ in calls()} == set()


def test_keys_stand_in_the_order_of_the_alphabet() -> None:
    for section, entries in catalogue("texts").items():
        assert list(entries) == sorted(entries), section


def test_families_are_those_of_the_file() -> None:
    assert set(catalogue("names")) == set(get_args(Family))


def test_stages_are_those_of_the_models() -> None:
    shipped = {stage.key: (stage.en, stage.it) for model in STAGE_MODELS.values() for stage in model.stages}
    named = {key: (entry["en"], entry["it"]) for key, entry in catalogue("names")["stage"].items()}
    assert named == shipped


def test_outcomes_and_relationships_are_those_of_the_analyses() -> None:
    assert set(names_of("outcome", "en")) == set(ALL_OUTCOMES)
    assert set(RELATIONSHIPS) <= set(names_of("relationship", "en"))


def test_a_text_in_both_languages() -> None:
    assert Words("en").text("charts.others", n=1) == "1 other"
    assert Words("en").text("charts.others", n=1200) == "1,200 others"
    assert Words("it").text("charts.others", n=1) == "un altro"
    assert Words("it").text("charts.others", n=1200) == "altri 1.200"


def test_values_are_not_read_as_templates() -> None:
    assert "{x}" in Words("it").text("plots.flow_from", node="{x}")


def test_names() -> None:
    italian = Words("it")
    assert italian.name("stage", "retention") == "Fidelizzazione"
    assert italian.title("place", "store") == "Negozio"
    assert italian.name("channel", "Paid Social") == "Paid Social"
    assert italian.name("channel", "Influencers") == "Influencers"
    assert capital("") == ""
    assert list(names_of("relationship", "it").values()) == [
        "potenziale",
        "nuovo",
        "abituale",
        "ambasciatore",
        "a rischio",
        "perso",
    ]


def test_a_page_names_stages_of_the_workspace_and_all_codes() -> None:
    page = Words("en", {"st_weigh": "Weighing up", "awareness": "First look"}, is_for_page=True)
    assert page.name("stage", "st_weigh") == "Weighing up"
    assert page.name("stage", "awareness") == "First look"
    assert page.name("stage", "advocacy") == "Advocacy"
    assert (page.code("stage", "st_weigh"), Words("en").code("stage", "st_weigh")) == ("Weighing up", "st_weigh")
    warning = said("warnings.few_kpis", few=30, names=Codes("kpi", ("nps",), 6))
    assert "NPS" in warning
    assert "NPS" in again(warning, page)


def test_an_unknown_language_or_text() -> None:
    with pytest.raises(SpecError, match="'de' is no language"):
        Words("de")
    with pytest.raises(KeyError):
        Words("en").text("charts.nothing")
    with pytest.raises(KeyError):
        Words("en").text("charts.target")


@pytest.mark.parametrize("message", ["identify", "group", "alias"])
def test_touchpoints_of_bookkeeping_have_names(message: str) -> None:
    assert set(catalogue("names")["touchpoint"][message]) == set(LANGUAGES)
