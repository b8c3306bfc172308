"""The tree of errors, its hints, and the page that documents it."""

from __future__ import annotations

import importlib
import pkgutil

import percorso
from percorso.cli.lazy import load
from percorso.cli.main import COMMANDS
from percorso.errors import AmountError, PercorsoError, SettingsError, TimeError, nearest_hint
from percorso.settings import STAGE_MODELS
from tests.docs_tables import code_spans, table


def classes(kind: type[PercorsoError]) -> set[type[PercorsoError]]:
    return {kind}.union(*(classes(child) for child in kind.__subclasses__()))


def test_the_page_lists_every_code_with_its_class_and_numbers() -> None:
    for module in pkgutil.walk_packages(percorso.__path__, "percorso."):
        importlib.import_module(module.name)  # errors may stand beside what raises them
    rows = table("reference/errors.md", "Codes")
    documented = {(code_spans(row[0])[0], row[1], row[2], row[3]) for row in rows}
    shipped = (kind for kind in classes(PercorsoError) if kind.__module__.startswith("percorso."))
    assert documented == {(kind.code, kind.__name__, str(kind.exit_code), str(kind.status)) for kind in shipped}
    assert all(row[4] for row in rows)


def test_the_command_lines_own_codes_are_listed() -> None:
    assert [code_spans(row[0]) for row in table("reference/errors.md", "Codes of the command line alone")] == [
        ["usage"],
        ["unexpected"],
    ]


def test_an_error_is_json_with_fields_only_where_it_has_some() -> None:
    assert SettingsError("No.", hint="Yes.", fields={"line": 3}).as_dict() == {
        "code": "settings",
        "message": "No.",
        "hint": "Yes.",
        "fields": {"line": 3},
    }
    assert "fields" not in PercorsoError("No.").as_dict()


def test_values_that_cannot_be_read_are_value_errors_too() -> None:
    assert issubclass(AmountError, ValueError)
    assert issubclass(TimeError, ValueError)


def test_hints_name_the_nearest_and_not_too_many() -> None:
    assert nearest_hint("retial", ["retail", "loyalty"]) == "Did you mean 'retail'? Allowed: loyalty, retail."
    assert nearest_hint("x", []) == ""
    assert "(100 in all)" in nearest_hint("x", map(str, range(100)))


def test_the_page_of_init_lists_its_options_and_the_stage_models() -> None:
    init = next(command for command in COMMANDS if command.name == "init")
    options = {name for parameter in load(init).params for name in parameter.opts if name.startswith("--")} - {"--help"}
    assert {code_spans(row[0])[0] for row in table("reference/init.md", "percorso init")} == options
    models = {code_spans(row[0])[0]: row[1] for row in table("reference/init.md", "Stage models")}
    assert models == {name: ", ".join(stage.key for stage in model.stages) for name, model in STAGE_MODELS.items()}
