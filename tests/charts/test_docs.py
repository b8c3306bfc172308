"""The page on charts: every example runs, and every kind stands on it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re

import pytest

import percorso.charts
from percorso.charts.chart import Chart, Drawing
from percorso.language import measures
from percorso.language.words import Words
from tests.charts.drawn import assert_sound
from tests.docs_tables import DOCS

PAGE = (DOCS / "reference" / "charts.md").read_text(encoding="utf-8")
#: Examples of charts; those before the kinds are of a workspace, that after them of words.
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.split("## The kinds")[1].split("## Words")[0], re.DOTALL)


def shipped() -> dict[str, object]:
    names: dict[str, object] = {name: getattr(measures, name) for name in measures.__all__}
    for module in pkgutil.iter_modules(percorso.charts.__path__, "percorso.charts."):
        loaded = importlib.import_module(module.name)
        names |= {name: getattr(loaded, name) for name in getattr(loaded, "__all__", ())}
    return names


@pytest.mark.parametrize("example", EXAMPLES[1:], ids=lambda text: text.split("(")[0].split(" =")[0])
def test_an_example_of_a_kind_can_be_drawn(example: str) -> None:
    names = shipped()
    *before, last = ast.parse(example).body
    assert isinstance(last, ast.Expr)
    exec(compile(ast.Module(before, []), "charts.md", "exec"), names)
    drawing = eval(compile(ast.Expression(last.value), "charts.md", "eval"), names)
    assert isinstance(drawing, Drawing)
    draw = "draw_" + {"Steps": "steps", "HeatTable": "heat"}.get(type(drawing).__name__, type(drawing).__name__.lower())
    chart = names[draw](drawing, Words("it"))  # type: ignore[operator]
    assert isinstance(chart, Chart)
    assert_sound(chart)
    assert chart.rows


def test_the_whole_example_runs(tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    names: dict[str, object] = {}
    exec(EXAMPLES[0].replace('.save("canali.svg")', ""), names)
    assert "L&#39;e-mail converte meglio" in names["draw_bars"](names["bars"], Words("it")).svg  # type: ignore[operator]


def test_every_kind_is_on_the_page() -> None:
    kinds = {name for name, value in shipped().items() if isinstance(value, type) and issubclass(value, Drawing)}
    assert {name for name in kinds - {"Drawing"} if f"`{name}" not in PAGE} == set()


def test_the_words_of_the_page() -> None:
    lines = re.findall(r"^(words\..+?)\s+# (.+)$", PAGE, re.MULTILINE)
    assert len(lines) == 4
    for expression, said in lines:
        shown = eval(expression, {"words": Words("it"), "SHARE": measures.SHARE})
        assert shown.replace("\u00a0", " ") == said
