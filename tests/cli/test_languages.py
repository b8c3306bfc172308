"""Tables for people in Italian and English: nothing left in the other language, and the same data for programs."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from percorso.cli.main import run
from percorso.language.kpi_words import kpi_texts
from percorso.language.measures import SHARE
from percorso.language.said import Codes, Figure, again, said
from percorso.language.words import Words, catalogue
from tests.services.shop_workspace import ADD, BUY, VIEW, make_shop

Captured = pytest.CaptureFixture[str]
STEPS = ("--step", VIEW, "--step", ADD, "--step", BUY)
ITALIAN = Words("it")

#: Every command that asks, as a user writes it.
QUESTIONS = (
    ("funnel", *STEPS),
    ("funnel", "--step", VIEW, "--step", "Product Shared", "--by", "place"),
    ("flow", "--unit", "stage", "--collapse"),
    ("flow", "--unit", "place", "--per", "session", "--collapse", "--top", "1", "--counts-only"),
    ("variants", "--unit", "touchpoint", "--top", "1", "--per", "person"),
    ("channels",),
    ("channels", "--where", "place = shop"),
    ("places", "--by", "person.country"),
    ("touchpoints",),
    ("stages",),
    ("journeys",),
    ("journeys", "--by", "first_channel", "--from", "2030-01-01"),
    ("retention", "--from", "2024-03-02"),
    ("lifecycle", "--unit", "week"),
    ("lifecycle", "--persons", "orders >= 9"),
    ("suggest", "timeout"),
    (
        "kpis",
        "--every",
        "day",
        "--kpi",
        "orders",
        "--kpi",
        "average_order_value",
        "--last",
        "3d",
        "--compare",
        "previous",
    ),
    ("kpis",),
    ("map",),
    ("quality",),
    ("people", "funnel", *STEPS, "--at", "1"),
    ("customer", "u0"),
    ("segment", "list"),
    ("segment", "show", "buyers"),
    ("segment", "people", "buyers"),
    ("sql", "select count(*) as n, max(time) as last from events"),
)
#: English words that Italian marketers use, names of data, of options and of the product.
ALLOWED = {
    *("churn", "customer", "define", "directly", "email", "help", "json", "kpi", "list", "media", "order", "persona"),
    *("percorso", "product", "rates", "robot", "segment", "stage", "store", "touchpoint", "unit", "viewed"),
    *("place", "social", "visitors", "orders"),  # of the rule and the query in QUESTIONS
}

#: Words that stand in the tables of both languages: names of data, and words that Italian marketers use.
SAME = ALLOWED | {
    *("aalen", "johansen", "kaplan", "meier", "europe", "rome", "eur", "added", "completed", "user", "shop", "event"),
    *(
        "advocacy",
        "app",
        "bot",
        "buyers",
        "chat",
        "ces",
        "csat",
        "dau",
        "wau",
        "mau",
        "mail",
        "newsletter",
        "nps",
        "quick",
        "ratio",
    ),
    *(
        "sms",
        "video",
        "web",
        "whatsapp",
        "include",
        "bots",
        "import",
        "site",
        "online",
        "checkout",
        "wishlist",
        "download",
    ),
    *("all", "per", "non"),  # "all'anno" and other Italian
}

OWN_STAGES = "".join(
    f'[[stages.custom]]\nkey = "{key}"\nen = "{en}"\nit = "{it}"\nsignals = {signals}\n'
    for key, en, it, signals in (
        ("looking", "Looking round", "Si guarda intorno", ["aware", "consider"]),
        ("bought", "Has bought", "Ha comprato", ["convert"]),
        ("after", "After", "Dopo", ["care", "advocate"]),
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    make_shop(folder)
    assert run(["-w", str(folder), "build"]) == 0
    assert run(["-w", str(folder), "segment", "define", "buyers", "--where", "orders >= 1"]) == 0
    return folder


def told(folder: Path, capsys: Captured, language: str, *arguments: str) -> str:
    capsys.readouterr()
    assert run(["-w", str(folder), "--language", language, *arguments]) == 0
    return capsys.readouterr().out


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", text.lower()))


def forms(entry: Any) -> str:
    return entry if isinstance(entry, str) else " ".join(entry.values())


def english_alone() -> set[str]:
    """Words that our English says and our Italian never does."""
    texts = [
        entry
        for section in ("counted", "terminal", "warnings", "map", "quality")
        for entry in catalogue("texts")[section].values()
    ]
    texts += [entry for family in catalogue("names").values() for entry in family.values()]
    texts += [entry for part in ("kpi", "label", "missing") for entry in kpi_texts()[part].values()]
    english, italian = (set().union(*(words_of(forms(entry[of])) for entry in texts)) for of in ("en", "it"))
    return english - italian - ALLOWED


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_italian_tables_hold_no_english(folder: Path, capsys: Captured, question: tuple[str, ...]) -> None:
    page, english = (
        re.sub(r"\b[0-9a-f]{12,32}\b", "", told(folder, capsys, language, *question)) for language in ("it", "en")
    )
    assert words_of(page) & words_of(english) - SAME - words_of(f"{folder} {' '.join(question)}") == set()
    # What events are called, and what users wrote, is theirs.
    for name in (
        VIEW,
        ADD,
        BUY,
        "Product Shared",
        "count_star",
        str(folder),
        "shop",  # the source
        *(question if question[0] == "sql" else ()),
    ):
        page = page.replace(name, "")
    page = re.sub(r"--\w+|buyers|percorso .*|u0|\bRegola: .*|Ci sono: .*|evento ha \w+|orders >= \d", "", page)
    assert words_of(page) & english_alone() == set()
    assert not re.search(r"\d\.\d+ %", page)


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_programs_get_the_same_in_any_language(folder: Path, capsys: Captured, question: tuple[str, ...]) -> None:
    if "--top" in question and question[0] == "flow":
        question = question[:-3]  # --top shortens tables for people
    for how in ("json", "csv"):
        english, italian = (told(folder, capsys, language, *question, "--format", how) for language in ("en", "it"))
        assert english == italian


def test_numbers_dates_and_money(folder: Path, capsys: Captured) -> None:
    funnel = told(folder, capsys, "it", "funnel", *STEPS)
    assert "83,3 %" in funnel
    assert "Dati al 09/03/2024 11:00 Europe/Rome." in funnel
    channels = told(folder, capsys, "it", "channels")
    assert "3 ordini di clienti noti, 75,00 €." in channels
    assert "3 orders of known customers, 75.00 EUR." in told(folder, capsys, "en", "channels")


def test_codes_have_names_in_italian_and_stay_in_english(folder: Path, capsys: Captured) -> None:
    question = ("flow", "--unit", "stage", "--collapse")
    assert re.search(r"\(inizio\) +Consapevolezza ", told(folder, capsys, "it", *question))
    assert re.search(r"\(start\) +awareness ", told(folder, capsys, "en", *question))


def test_ends_of_a_flow_as_the_table_calls_them(folder: Path, capsys: Captured) -> None:
    question = ("flow", "--unit", "place", "--collapse", "--steps", "2")
    wanted = told(folder, capsys, "it", *question, "--from", "site", "--format", "csv")
    assert wanted.count("\n") > 1
    assert told(folder, capsys, "it", *question, "--from", "sito", "--format", "csv") == wanted


def test_orders_stand_beside_those_without_a_customer(folder: Path, capsys: Captured) -> None:
    assert " ordini  senza cliente " in told(folder, capsys, "it", "channels")
    assert " orders  without a customer " in told(folder, capsys, "en", "places")
    assert "Importi in EUR." in told(folder, capsys, "it", "places")


def test_who_chooses_the_language(folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(*arguments: str) -> str:
        capsys.readouterr()
        assert run(["-w", str(folder), *arguments]) == 0
        return capsys.readouterr().out

    assert "Stages" in page("stages")  # the workspace speaks English
    monkeypatch.setenv("PERCORSO_LANGUAGE", "it")
    assert "Fasi" in page("stages")
    assert "Stages" in page("--language", "en", "stages")
    assert "Business" in page("--language", "it", "kpis", "--language", "en")


def test_no_such_language(folder: Path, capsys: Captured) -> None:
    assert run(["-w", str(folder), "--language", "de", "stages"]) == 2
    assert "'de' is no language" in capsys.readouterr().err


def test_the_option_stands_before_the_command(folder: Path, capsys: Captured) -> None:
    assert run(["-w", str(folder), "stages", "--language", "it"]) == 2
    assert "percorso --language it stages" in capsys.readouterr().err


def test_errors_have_an_italian_frame(folder: Path, capsys: Captured) -> None:
    assert run(["-w", str(folder), "--language", "it", "people", "places", "--place", "negozio"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("Errore: ")
    assert re.search(r"^Suggerimento: .*Valori ammessi: site\.$", told, re.MULTILINE)


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        (("places", "--place", "Sito"), ("places", "--place", "site")),
        (("stages", "--stage", "acquisto"), ("stages", "--stage", "conversion")),
        (("touchpoints", "--touchpoint", "carrello"), ("touchpoints", "--touchpoint", "cart")),
        (("journeys", "--outcome", "con acquisto"), ("journeys", "--outcome", "converted")),
        (("lifecycle", "--what", "potenziale"), ("lifecycle", "--what", "prospect")),
        (
            ("flow", "--unit", "place", "--collapse", "--edge", "(inizio)", "sito"),
            ("flow", "--unit", "place", "--collapse", "--edge", "(start)", "site"),
        ),
        (
            ("variants", "--unit", "place", "--collapse", "--node", "sito"),
            ("variants", "--unit", "place", "--collapse", "--node", "site"),
        ),
        (
            ("places", "--place", "sito", "--by", "place", "--group", "sito"),
            ("places", "--place", "site", "--by", "place", "--group", "site"),
        ),
    ],
    ids=" ".join,
)
def test_people_of_a_number_as_the_table_calls_it(
    folder: Path, capsys: Captured, shown: tuple[str, ...], code: tuple[str, ...]
) -> None:
    wanted = told(folder, capsys, "en", "people", *code, "--format", "csv")
    assert wanted.count("\n") > 1
    for cell in (shown, code):
        assert told(folder, capsys, "it", "people", *cell, "--format", "csv") == wanted


def test_own_stages_are_called_as_the_settings_say(tmp_path: Path, capsys: Captured) -> None:
    make_shop(tmp_path)
    settings = tmp_path / "percorso.toml"
    model = re.sub(r'model = "retail"', 'model = "custom"', settings.read_text(encoding="utf-8"))
    settings.write_text(f"{model}\n{OWN_STAGES}", encoding="utf-8")
    assert run(["-w", str(tmp_path), "build"]) == 0
    assert "Ha comprato" in told(tmp_path, capsys, "it", "stages")
    english = told(tmp_path, capsys, "en", "stages")  # the key, as options take it
    assert "bought" in english
    assert "Ha comprato" not in english
    cell = ("people", "stages", "--stage", "Ha comprato", "--format", "csv")
    assert told(tmp_path, capsys, "it", *cell).count("\n") > 1


def test_a_sentence_is_said_again() -> None:
    sentence = said("warnings.few_named", few=30, names=Codes("place", ("store", "(none)", "site"), 2))
    assert sentence == "Fewer than 30 persons: store, (none) and 1 more. Shares and means of so few say little."
    assert again(sentence, ITALIAN).startswith("Meno di 30 persone: negozio, (nessuno) e un altro.")
    copied = pickle.loads(pickle.dumps(sentence))
    assert again(copied, ITALIAN) == again(sentence, ITALIAN)
    assert again("A sentence of somebody else.", ITALIAN) == "A sentence of somebody else."


def test_a_sentence_within_a_sentence() -> None:
    meant = said("warnings.did_you_mean", value="store")
    sentence = said("warnings.nothing_has", field="place", value="stor", hint=meant)
    assert sentence == "place = stor: nothing has it. Did you mean 'store'?"
    assert again(sentence, ITALIAN).endswith("Intendevi 'store'?")
    assert said("warnings.nothing_has", field="place", value="x", hint="") == "place = x: nothing has it."
    few = said("warnings.timeout_even", days=180, share=Figure(0.125, SHARE), limit=Figure(0.05, SHARE))
    assert "12.5 % of the conversions" in few
    assert "il 12,5 % delle conversioni" in again(few, ITALIAN)


def test_english_heads_and_values_are_their_keys() -> None:
    for family in ("head", "value"):
        assert all(key == entry["en"] for key, entry in catalogue("names")[family].items())
