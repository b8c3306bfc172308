"""What commands that do something say in Italian: imports, builds, identity, erasures, the shop, and errors."""

from __future__ import annotations

import io
import json
import pickle
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from percorso.cli import progress
from percorso.cli.main import run
from percorso.cli.progress import build_progress
from percorso.errors import nearest_hint
from percorso.language.said import again
from percorso.language.words import Words, names_of
from percorso.services.workspace import Workspace
from tests.cli.test_languages import words_of
from tests.lake_builder import event
from tests.services.identity_world import ANNA, FAMILY
from tests.workspaces import make_workspace

Captured = pytest.CaptureFixture[str]
ITALIAN = Words("it")

#: Words of our English sentences and heads that Italian does not have.
ENGLISH = frozenset(
    (
        *("about", "added", "again", "already", "and", "any", "are", "beside", "but", "can", "cannot", "does", "each"),
        *("erased", "error", "events", "exists", "first", "for", "from", "had", "has", "have", "hint", "how", "into"),
        *("its", "journeys", "kept", "known", "left", "made", "may", "missing", "more", "must", "name", "names"),
        *("nobody", "none", "not", "nothing", "once", "one", "only", "other", "others", "out", "person", "persons"),
        *("read", "rejected", "rows", "same", "seen", "shared", "stays", "such", "that", "the", "their", "them"),
        *("there", "they", "this", "too", "two", "until", "was", "were", "what", "when", "which", "who", "whom"),
        *("whose", "why", "will", "with", "without", "would", "written", "you", "your"),
    )
)

WEB = """\
user_id,email,anonymous_id,event,timestamp,value,order_id
u-1,anna@posta.example,b-1,Product Viewed,2024-01-01T10:00:00Z,,
u-1,anna@posta.example,b-1,Order Completed,2024-01-02T10:00:00Z,1212.50,o-1
u-1,,b-1,Product Viewed,2024-01-03T10:00:00Z,,
u-2,,b-2,Product Viewed,yesterday,,
"""
TILL = """\
Report vendite 01/01–31/03

Data;Tessera;Scontrino;Totale
02/01/2024;T-00017;100001;1.212,50
03/01/2024;-;100002;8,00
04/01/2024;-;100004;7,00
domani;T-00018;100003;9,00
"""


def spoken(capsys: Captured, *arguments: str, code: int = 0) -> str:
    """All that a command tells, on both streams."""
    capsys.readouterr()
    assert run(arguments) == code
    told = capsys.readouterr()
    return told.out + told.err


def check_italian(told: str, *own: str) -> None:
    """No word of it is English, but for commands to copy, and what the shop or the data call something."""
    for name in own:
        told = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "", told)
    told = re.sub(r"percorso (-w|--\w+|[a-z]+) .*|`[^`]*`|--[\w-]+|\w+[._]\w+", "", told)
    assert words_of(told) & ENGLISH == set()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An Italian workspace, and two files."""
    make_workspace(tmp_path / "ws", language="it")
    (tmp_path / "web.csv").write_text(WEB)
    (tmp_path / "cassa.csv").write_text(TILL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERCORSO_HOME", "ws")
    return tmp_path


def test_a_workspace_is_made_in_the_language_it_is_to_have(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = spoken(capsys, "-w", "a", "init")
    assert "Che cosa fare ora:" in told
    check_italian(told)
    assert "What to do next:" in spoken(capsys, "-w", "b", "init", "--language", "en")
    assert "What to do next:" in spoken(capsys, "-w", "c", "--language", "en", "init")


def test_an_import_from_its_preview_to_its_rejected_rows(shop: Path, capsys: Captured) -> None:
    preview = spoken(capsys, "import", "cassa.csv", "--dry-run")
    mapping = preview[preview.index("# Proposed") : preview.index("I primi eventi")]  # a file of its own
    check_italian(preview.replace(mapping, ""), TILL.splitlines()[0])
    assert "intestazione alla riga 3\n1 riga sopra l'intestazione saltata:" in preview
    assert "  02/01/2024 00:00  Order Completed\n    chi       loyalty id T…17\n" in preview
    assert "    valore    1.212,50 €\n" in preview
    assert "Lettura: 4 righe. Risultato: 3 eventi; righe scartate: 1." in preview
    told = spoken(capsys, "import", "cassa.csv", "web.csv")
    check_italian(told)
    assert "cassa.csv: saltata 1 riga sopra l'intestazione (riga 3)." in told
    assert "righe  eventi aggiunti  già presenti  scartate" in told
    assert "web.csv era già stato importato" in spoken(capsys, "import", "web.csv")
    rejected = spoken(capsys, "rejected")
    check_italian(rejected, WEB.splitlines()[-1])
    assert "la data non si può leggere" in rejected
    by_name = spoken(capsys, "rejected", "--reason", "la data non si può leggere", "--json")
    assert by_name == spoken(capsys, "rejected", "--reason", "time_unreadable", "--json")
    check_italian(spoken(capsys, "rejected", "--reason", "cells", "--file", "nessuno.csv"))
    check_italian(spoken(capsys, "rejected", "--limit", "1"), *WEB.splitlines())


def test_one_and_several(shop: Path, capsys: Captured) -> None:
    (shop / "uno.csv").write_text("\n".join(WEB.splitlines()[:2]))
    spoken(capsys, "import", "uno.csv")
    built = spoken(capsys, "build")
    check_italian(built)
    assert re.search(r"  1  evento\n  1  persona\n  1  sessione  sul sito o in app\n  1  percorso  ", built)
    spoken(capsys, "import", "web.csv", "cassa.csv")
    built = spoken(capsys, "build")
    check_italian(built)
    assert re.search(r"  7  eventi +2 senza cliente\n  2  persone\n", built)
    check_italian(spoken(capsys, "build"))


def test_a_date_to_come_and_copies(tmp_path: Path, capsys: Captured) -> None:
    row = event("2999-03-01T10:00", "Order Completed", user_id="u", message_id="m")
    make_workspace(tmp_path / "ws", [row, {**row, "source": "web"}], language="it")
    told = spoken(capsys, "-w", str(tmp_path / "ws"), "build")
    check_italian(told)
    assert "Attenzione: l'evento più recente ha la data 01/03/2999" in told


def test_questions_say_in_italian_that_they_build(shop: Path, capsys: Captured) -> None:
    spoken(capsys, "import", "web.csv")
    told = spoken(capsys, "stages", "--output", "fasi.csv")
    check_italian(told, "fasi.csv")
    assert "prima si costruisce il registro dei percorsi" in told
    assert "Scritto in fasi.csv" in told


def test_an_erasure_asks_and_is_answered_in_italian(
    shop: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken(capsys, "import", "web.csv")
    monkeypatch.setattr(sys, "stdin", io.StringIO("forse\nsì\n"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    asked = ("erase", "anna@posta.example", "--reason", "richiesta del 3 maggio")
    refused = spoken(capsys, *asked, code=2)
    check_italian(refused)
    assert "Cancellare tutto? Non si può annullare. [s/N]" in refused
    assert "Non è stato cancellato nulla." in refused
    exported = spoken(capsys, "export-person", "anna@posta.example", "--out", "anna.json")
    assert "3 eventi scritti in anna.json" in exported
    done = spoken(capsys, *asked)
    check_italian(done)
    assert "Cancellato per sempre" in done
    assert "3 righe di 1 importazione, 1 ordine" in done
    assert "dal 01/01/2024 al 03/01/2024" in done


@pytest.mark.parametrize(
    "words",
    [
        ["report"],
        ["explain", ANNA],
        ["explain", FAMILY],
        ["explain", "agent.smith@shop.example"],
        ["explain", "tablet-77"],
        *(["explain", "--event", message] for message in ("t0", "t2", "t4", "t7", "far", "lonely", "kiosk", "lost")),
        ["decisions"],
    ],
    ids=" ".join,
)
def test_identity_in_italian(world: Workspace, words: list[str], capsys: Captured) -> None:
    told = spoken(capsys, "-w", str(world.folder), "--language", "it", "identity", *words)
    check_italian(told, "messaggio far login", "guest, null", str(world.folder), "Page Viewed", "Signed Out")
    bodies = [
        spoken(capsys, "-w", str(world.folder), "--language", of, "identity", *words, "--json") for of in ("it", "en")
    ]
    assert bodies[0] == bodies[1]


def test_decisions_in_italian(tmp_path: Path, capsys: Captured) -> None:
    rows = [event("2024-03-01T10:00", "A", user_id="user-1042", email="anna@posta.example")]
    rows.append(event("2024-03-01T12:00", "A", phone="+393471234456"))
    folder = str(make_workspace(tmp_path / "ws", rows, language="it").folder)
    pair = ("anna@posta.example", "347 1234456", "--reason", "stessa persona", "--author", "Anna")

    def decided(word: str) -> str:
        told = spoken(capsys, "-w", folder, "identity", word, *pair)
        check_italian(told)
        return told

    assert decided("link").startswith("Uniti: email a•••@posta.example e phone +39•••••456 saranno una sola persona.")
    assert "Già uniti, non è cambiato nulla: unione del " in decided("link")
    spoken(capsys, "-w", folder, "build")
    assert "Annullata: unione del " in decided("unlink")
    assert "di una persona ne fa due" in decided("unlink")
    assert "Annullata: separazione del " in decided("link")
    assert "Sono già una sola persona, e lo restano" in decided("link")
    listed = spoken(capsys, "-w", folder, "identity", "decisions")
    check_italian(listed)
    assert re.search(r"unione +email a•••@posta.example +phone \S+ +annullata +Anna +stessa persona", listed)


def test_phases_of_a_build_have_italian_names(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(
        progress, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=100, legacy_windows=False)
    )
    with build_progress(ITALIAN) as tell:
        for phase in names_of("phase", "en"):
            tell(phase, 500, 1000)
            tell(phase, 1000, 1000)
    shown = screen.getvalue()
    assert all(name in shown for name in names_of("phase", "it").values())
    assert "righe/s" in shown
    assert "rows/s" not in shown


def test_the_invented_shop_in_italian(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = spoken(capsys, "--language", "it", "simulate", "--customers", "3", "--months", "1", "--out", "files")
    check_italian(told, *(path.name for path in (tmp_path / "files").iterdir()))
    assert "What was planted" in spoken(capsys, "simulate", "--customers", "3", "--months", "1", "--out", "files")


#: Errors that a shop owner meets, and the beginning of what they say.
ERRORS = (
    (("-w", "nowhere", "build"), "In "),
    (("init",), "In "),
    (("build",), "Non ci sono ancora eventi."),
    (("import",), "Manca l'argomento 'FILE...'."),
    (("import", "nowhere.csv"), "Il file nowhere.csv non c'è."),
    (("import", "web.csv", "--mapping", "nowhere.toml"), "Mappatura non trovata: nowhere.toml"),
    (("import", "web.csv", "--format", "segmnt"), "'segmnt' non è un formato."),
    (("import", "web.csv", "--source", "?"), "'?' non può essere il nome di un'origine dati."),
    (("import", "web.csv", "--mapping", "wrong.toml"), "web.csv non ha la colonna 'when'"),
    (("import", "empty.csv"), "empty.csv è vuoto."),
    (("import", "book.xlsx"), "book.xlsx: le cartelle di lavoro di Excel non si possono leggere."),
    (("import", "words.csv"), "words.csv non dice "),
    (("bild",), "Il comando 'bild' non c'è. Intendevi 'build'?"),
    (("stages", "--foo"), "L'opzione --foo non c'è."),
    (("identity", "link", "a", "b"), "Manca l'opzione '--reason'."),
    (("erase", "anna@posta.example", "--reason", "x", "--yes"), "Con questo dato non si conosce nessuno."),
    (("erase", "anna@posta.example", "--yes"), "Una cancellazione deve avere un motivo."),
    (("export-person", "u-1", "--out", "web.csv"), "web.csv esiste già."),
    (("simulate", "--customers", "0", "--out", "x"), "Non si può simulare questo numero di clienti: 0."),
)


@pytest.mark.parametrize(("arguments", "begins"), ERRORS, ids=lambda value: " ".join(value))
def test_errors_in_italian(shop: Path, capsys: Captured, arguments: tuple[str, ...], begins: str) -> None:
    (shop / "wrong.toml").write_text(
        'source = "web"\nkind = "web"\nevent = { column = "event" }\ntimestamp = { column = "when" }\n'
    )
    (shop / "empty.csv").write_text("")
    (shop / "book.xlsx").write_bytes(b"PK\3\4")
    (shop / "words.csv").write_text("uno,due\nx,y\n")
    told = spoken(capsys, "--language", "it", *arguments, code=2)
    assert told.startswith(f"Errore: {begins}")
    check_italian(told, str(shop), *arguments, "when")
    english = spoken(capsys, "--language", "en", *arguments, code=2)
    assert english.startswith("Error: ")
    assert english.count("\n") == told.count("\n")


def test_a_file_imported_otherwise(shop: Path, capsys: Captured) -> None:
    spoken(capsys, "import", "web.csv")
    told = spoken(capsys, "import", "web.csv", "--source", "app", code=2)
    check_italian(told)
    assert "web.csv è già stato importato come origine dati 'web', non come 'app'." in told
    mapping = spoken(capsys, "import", "web.csv", "--dry-run", "--save-mapping", "web.toml")
    assert "Mappatura salvata in web.toml" in mapping
    (shop / "web.toml").write_text((shop / "web.toml").read_text().replace('user_id = "user_id"', ""))
    told = spoken(capsys, "import", "web.csv", "--mapping", "web.toml", code=2)
    check_italian(told)
    assert re.search(r"in un altro modo, il \d\d/\d\d/\d{4}\.", told)


def test_programs_get_english_errors(shop: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert run(["--language", "it", "import", "nowhere.csv", "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["error"] == {
        "code": "file",
        "message": "There is no file nowhere.csv.",
        "hint": "Check the name; patterns such as *.csv are allowed.",
    }
    assert "Il file nowhere.csv non c'è." in told.err


def test_names_of_files_stay_as_they_are(shop: Path, capsys: Captured) -> None:
    assert "Il file a  b.csv non c'è." in spoken(capsys, "import", "a  b.csv", code=2)


def test_without_a_workspace_errors_are_english_unless_asked(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = ("-w", str(tmp_path / "none"), "build")
    assert spoken(capsys, *missing, code=2).startswith("Error: There is no workspace in ")
    monkeypatch.setenv("PERCORSO_LANGUAGE", "it")
    assert spoken(capsys, *missing, code=2).startswith("Errore: ")
    monkeypatch.setenv("PERCORSO_LANGUAGE", "de")
    assert spoken(capsys, *missing, code=2).startswith("Error: 'de' is no language.")


@pytest.mark.parametrize("allowed", [["retail", "loyalty"], [], [str(n) for n in range(100)]])
def test_nearest_values_are_named_in_any_language(allowed: list[str]) -> None:
    hint = nearest_hint("retial", allowed)
    assert again(hint, Words("en")) == hint
    assert again(pickle.loads(pickle.dumps(hint)), ITALIAN) == again(hint, ITALIAN)
    if "retail" in allowed:
        assert again(hint, ITALIAN) == "Intendevi 'retail'? Valori ammessi: loyalty, retail."
