"""The command line: `percorso [-w DIR] [--language it|en] COMMAND ...`.

A command lives in ``cli/<noun>.py``, which has ``register(app: typer.Typer) -> None`` and is named once in
COMMANDS below; its module is imported when the command runs, not before. A command does one thing: read its
options, call one service, hand the result to :mod:`percorso.cli.output`. It raises errors of
:mod:`percorso.errors` and prints none: this file does, once for all, in the language of the reader where the error
knows its words (:mod:`percorso.language.said`).

Exit codes: 0 done, 1 the machine or the store failed, 2 a mistake of the user, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from percorso import __version__
from percorso.cli.context import Invocation, words_anywhere
from percorso.cli.lazy import LazyCommand, lazy_group
from percorso.cli.task_line import task_line
from percorso.cli.usage import usage_error
from percorso.errors import EngineError, PercorsoError
from percorso.language.said import again, said
from percorso.language.words import Words
from percorso.services.engine import check_command

__all__ = ["COMMANDS", "app", "main", "run"]

_INTERRUPTED = 130  # as shells have it: 128 + SIGINT

_DATA = "Bring data in"
_ASK = "Ask"

#: Every command, in the order of `--help`.
COMMANDS = (
    LazyCommand("demo", "percorso.cli.demo", "Make an invented shop and its workspace, to look round.", _DATA),
    LazyCommand("simulate", "percorso.cli.simulate", "Write the files of an invented shop, for trying things.", _DATA),
    LazyCommand("init", "percorso.cli.init", "Make a workspace.", _DATA),
    LazyCommand("import", "percorso.cli.imports", "Import files: CSV, Parquet, NDJSON, exports of known tools.", _DATA),
    LazyCommand("rejected", "percorso.cli.rejected", "Show the rows that could not be imported, and why.", _DATA),
    LazyCommand("build", "percorso.cli.build", "Turn events into persons, sessions and journeys.", _DATA),
    LazyCommand("spark", "percorso.cli.spark", "What a cluster needs to work for you.", _DATA),
    LazyCommand("identity", "percorso.cli.identity", "Who is one person: why, how it went, and by hand.", _DATA),
    LazyCommand("erase", "percorso.cli.erase", "Erase a person for good.", _DATA),
    LazyCommand("export-person", "percorso.cli.export_person", "Everything held on a person, in one file.", _DATA),
    LazyCommand("funnel", "percorso.cli.funnel", "How many get from step to step, and where they leave.", _ASK),
    LazyCommand("flow", "percorso.cli.flow", "What follows what, and how often.", _ASK),
    LazyCommand("variants", "percorso.cli.variants", "The most common paths.", _ASK),
    LazyCommand("channels", "percorso.cli.channels", "What brings contacts, and what they are worth.", _ASK),
    LazyCommand("places", "percorso.cli.places", "Where contacts happen, and how journeys go between them.", _ASK),
    LazyCommand("touchpoints", "percorso.cli.touchpoints", "What customers meet, and where they leave.", _ASK),
    LazyCommand("stages", "percorso.cli.stages", "How many are at each stage, and where they go from there.", _ASK),
    LazyCommand("journeys", "percorso.cli.journeys", "How journeys end, how long they are, how they convert.", _ASK),
    LazyCommand("retention", "percorso.cli.retention", "Cohorts, and who of them comes back.", _ASK),
    LazyCommand("lifecycle", "percorso.cli.lifecycle", "Who is new, stays, falls silent; relationships, churn.", _ASK),
    LazyCommand("suggest", "percorso.cli.suggest", "Settings that the data speak for.", _ASK),
    LazyCommand("map", "percorso.cli.map", "The journey map: stage by stage, from data, for the wall.", _ASK),
    LazyCommand("kpis", "percorso.cli.kpis", "KPIs by stage: value, interval, comparison, target.", _ASK),
    LazyCommand("people", "percorso.cli.people", "The persons behind a number.", _ASK),
    LazyCommand("customer", "percorso.cli.customer", "One person: timeline, identifiers, journeys, orders.", _ASK),
    LazyCommand("segment", "percorso.cli.segment", "Sets of persons given by a rule, and personas.", _ASK),
    LazyCommand("quality", "percorso.cli.quality", "What the data are like, and what to do about it.", _ASK),
    LazyCommand("report", "percorso.cli.report", "Everything that matters on one page, for the team.", _ASK),
    LazyCommand("sql", "percorso.cli.sql", "Your own SELECT over events, sessions, journeys and persons.", _ASK),
)

app = typer.Typer(
    name="percorso",
    cls=lazy_group(COMMANDS),
    help="Customer journeys from the files your shop already has.",
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"percorso {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            "-w",
            metavar="DIR",
            help="The workspace. Default: $PERCORSO_HOME, else ./percorso-data.",
        ),
    ] = None,
    language: Annotated[
        str,
        typer.Option(
            "--language",
            metavar="it|en",
            help="Of what people read. Default: $PERCORSO_LANGUAGE, else the workspace's.",
        ),
    ] = "",
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="local|spark",
            help="What works it out: this process, or Apache Spark. Default: $PERCORSO_ENGINE, else the workspace's.",
        ),
    ] = "",
    master: Annotated[
        str,
        typer.Option(
            "--master",
            metavar="URL",
            help="Where Spark is: local[2], spark://…, yarn, k8s://…, sc://…. Default: $PERCORSO_MASTER, else the "
            "workspace's.",
        ),
    ] = "",
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Customer journeys from the files your shop already has."""
    invocation = _note_options(ctx, workspace, language)
    invocation.engine, invocation.master = engine, master
    if invocation.language:
        Words(invocation.language)  # refuses what is no language of ours, whatever the command
    check_command(ctx.invoked_subcommand or "", engine, master)
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def _note_options(ctx: typer.Context, workspace: Path | None, language: str) -> Invocation:
    """What was said before the command, for it and for whoever tells of its errors."""
    invocation = ctx.ensure_object(Invocation)
    invocation.folder = workspace if workspace is not None else invocation.folder
    invocation.language = language or invocation.language
    return invocation


def _note_options_of(error: typer.TyperException) -> None:
    """What was said before a command that there is not: that is found out before the root is run."""
    ctx = getattr(error, "ctx", None)
    given = ctx.find_root().params if ctx is not None else {}
    if ctx is not None and {"workspace", "language"} <= given.keys():
        _note_options(ctx.find_root(), given["workspace"], given["language"])


class _WithoutPandas(MetaPathFinder):
    """Lets Arrow find no pandas in this process, which is all ours; Spark's package, which needs it, finds it.

    Where somebody has installed it, Arrow imports it to find out whether a list that it gets is one of pandas: a third
    of a second of every command, and no command has data frames.
    """

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname == "pandas" and "pyspark" not in sys.modules:
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")


def main() -> None:
    """Entry point of the command `percorso`."""
    sys.meta_path.insert(0, _WithoutPandas())
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors are told, never raised.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.
    """
    command, invocation = typer.main.get_command(app), Invocation()

    def tell(error: dict[str, Any]) -> None:
        _tell(error, arguments, words_anywhere(invocation))

    try:
        with task_line(lambda: words_anywhere(invocation)):
            code = command.main(args=list(arguments), prog_name="percorso", standalone_mode=False, obj=invocation)
    except PercorsoError as error:
        if isinstance(error, EngineError) and os.environ.get("PERCORSO_DEBUG"):  # what Spark says is in its cause
            traceback.print_exception(error)
        tell(error.as_dict())
        return error.exit_code
    except typer.TyperException as error:
        if error.format_message():  # none of a group without a command: its help has been shown
            _note_options_of(error)
            tell(usage_error(error, [command.name for command in COMMANDS]))
        return 2
    except (typer.Abort, KeyboardInterrupt):
        code = _INTERRUPTED
    except OSError as error:
        tell(_refused_by_machine(error))
        return 1
    except Exception as error:
        tell(_unexpected(error))
        return 1
    if code == _INTERRUPTED:  # Typer turns Ctrl-C into this exit code, without a word
        typer.echo(words_anywhere(invocation).text("errors.interrupted"), err=True)
    # A command returns nothing; what comes back otherwise is the code of a typer.Exit.
    return code if isinstance(code, int) else 0


def _refused_by_machine(error: OSError) -> dict[str, Any]:
    """A full disk, a missing permission, a broken device: the machine's own words say it best."""
    if os.environ.get("PERCORSO_DEBUG"):
        traceback.print_exception(error)
    reason = error.strerror or type(error).__name__
    message = said("errors.refused", reason=reason)
    if error.filename:
        message = said("errors.refused_file", reason=reason, file=str(error.filename))
    return {"code": "operation", "message": message, "hint": ""}


def _unexpected(error: Exception) -> dict[str, Any]:
    """A mistake of ours. The text of a foreign error may hold a personal value: it is shown on request only."""
    if os.environ.get("PERCORSO_DEBUG"):
        traceback.print_exception(error)
        hint: str = ""
    else:
        hint = said("errors.unexpected_hint")
    return {"code": "unexpected", "message": said("errors.unexpected", kind=type(error).__name__), "hint": hint}


def _tell(error: dict[str, Any], arguments: Sequence[str], words: Words) -> None:
    """The error on stderr for people and, where the command was asked for JSON, on stdout for programs."""
    if wants_json(arguments):
        typer.echo(json.dumps({"error": error}, ensure_ascii=False))
    message, hint = (again(error[part], words) for part in ("message", "hint"))
    typer.secho(words.text("errors.error", message=message), err=True, fg=typer.colors.RED)
    if hint:
        typer.echo(words.text("errors.hint", hint=hint), err=True)


def wants_json(arguments: Sequence[str]) -> bool:
    """Does this command line ask for JSON? It may be too wrong to be parsed, so look at the words.

    Examples
    --------
    >>> wants_json(["funnel", "--format", "json"]), wants_json(["import", "a.csv"])
    (True, False)
    """
    options = list(arguments)[: arguments.index("--")] if "--" in arguments else list(arguments)
    return "--json" in options or "--format=json" in options or ("--format", "json") in pairwise(options)
