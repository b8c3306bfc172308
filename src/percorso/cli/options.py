"""Options that every question has, the scope they make, and questions as options of several commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import typer

from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.cli.context import words_of, workspace_of
from percorso.cli.progress import ready_log
from percorso.cli.signatures import parameters_of, signed, spread, take
from percorso.cli.texts import local_text
from percorso.language.words import Words
from percorso.services.segment_lookup import persons_of
from percorso.services.workspace import Workspace
from percorso.time import zone_of

__all__ = [
    "AsOfOption",
    "BotsOption",
    "ByOption",
    "CollapseOption",
    "FromOption",
    "HeavyOption",
    "KindOption",
    "OutcomeOption",
    "PerOption",
    "PersonaOption",
    "PersonsOption",
    "TimezoneOption",
    "ToOption",
    "UnitOption",
    "WhereOption",
    "answer_of",
    "as_of_text",
    "asking",
    "scope_of",
    "within_scope",
]

Spec = TypeVar("Spec")

_PANEL = "Which events"

FromOption = Annotated[
    str,
    typer.Option("--from", metavar="DAY|TIME", help="Only events from this day or time on.", rich_help_panel=_PANEL),
]
ToOption = Annotated[
    str,
    typer.Option(
        "--to", metavar="DAY|TIME", help="Only events up to this day (all of it) or time.", rich_help_panel=_PANEL
    ),
]
TimezoneOption = Annotated[
    str,
    typer.Option(
        "--timezone", metavar="ZONE", help="Zone of days and times. Default: the workspace's.", rich_help_panel=_PANEL
    ),
]
AsOfOption = Annotated[
    str,
    typer.Option(
        "--as-of",
        metavar="DAY|TIME",
        help="As it stood then: no later event counts. Default: the newest event.",
        rich_help_panel=_PANEL,
    ),
]
WhereOption = Annotated[
    str,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help='Only events that meet it, such as "place = store and person.country = IT".',
        rich_help_panel=_PANEL,
    ),
]
PersonaOption = Annotated[
    str,
    typer.Option(
        "--persona", metavar="NAME", help="Only events of the persons of a segment or persona.", rich_help_panel=_PANEL
    ),
]
PersonsOption = Annotated[
    str,
    typer.Option(
        "--persons",
        metavar="RULE",
        help='Only events of persons who meet it, such as "orders >= 2 within 365d".',
        rich_help_panel=_PANEL,
    ),
]
ByOption = Annotated[
    str,
    typer.Option("--by", metavar="FIELD", help="Break down by a field, such as channel or person.country."),
]
BotsOption = Annotated[bool, typer.Option("--include-bots", help="Count events of bots too.", rich_help_panel=_PANEL)]
HeavyOption = Annotated[
    bool,
    typer.Option(
        "--include-heavy", help="Count persons with more events than the setting allows.", rich_help_panel=_PANEL
    ),
]
PerOption = Annotated[
    str, typer.Option("--per", metavar="person|journey|session", help="What a path or an attempt belongs to.")
]
UnitOption = Annotated[
    str, typer.Option("--unit", metavar="event|touchpoint|place|channel|stage", help="What a path is made of.")
]
CollapseOption = Annotated[bool, typer.Option("--collapse", help="Equal nodes in a row are one.")]
KindOption = Annotated[
    str, typer.Option("--kind", metavar="purchase|order", help="Only journeys of this kind.", rich_help_panel=_PANEL)
]
OutcomeOption = Annotated[
    str,
    typer.Option(
        "--outcome",
        metavar="converted|abandoned|open",
        help="Only purchase journeys that ended so.",
        rich_help_panel=_PANEL,
    ),
]


def scope_of(
    workspace: Workspace,
    since: FromOption = "",
    until: ToOption = "",
    timezone: TimezoneOption = "",
    as_of: AsOfOption = "",
    where: WhereOption = "",
    persona: PersonaOption = "",
    persons: PersonsOption = "",
    by: ByOption = "",
    include_bots: BotsOption = False,
    include_heavy: HeavyOption = False,
) -> Scope:
    """The scope that the options ask for; the time zone is by default the workspace's.

    It is a question of its own, for commands that ask nothing else.
    """
    name, rule = persons_of(workspace, persona, persons)
    return Scope(
        start=since,
        end=until,
        timezone=timezone or workspace.settings.workspace.timezone,
        as_of=as_of,
        where=where,
        by=by,
        include_bots=include_bots,
        include_heavy=include_heavy,
        persona=name,
        persons=rule,
    )


def as_of_text(answer: Result, words: Words, *, persons: bool = True) -> str:
    """The as-of time of an answer in the zone it was asked in, such as "2025-11-29 19:45 Europe/Rome".

    With `persons`, and where the question has a rule of persons, also how many are in.
    """
    scope = answer.spec.scope
    zone = zone_of(scope.timezone)
    told = f"{local_text(answer.as_of_us, zone, words)} {zone.key}"
    if not persons or "persons_in" not in answer.totals:
        return told
    inside, of = answer.totals["persons_in"], answer.totals["persons_of"]
    if scope.persona:
        return words.text("terminal.as_of_persona", time=told, inside=inside, of=of, persona=scope.persona)
    return words.text("terminal.as_of_rule", time=told, inside=inside, of=of)


def within_scope(*, without: Sequence[str] = ()) -> Callable[[Callable[..., Spec]], Callable[..., Spec]]:
    """Make a question of a function with a parameter `scope`: in its place are the options of a scope.

    Parameters
    ----------
    without : sequence of str
        Options of :func:`scope_of` that the question has not.

    Returns
    -------
    callable
        Makes of ``function(own options, scope)`` the question ``question(workspace, own options, scope options)``.
    """
    workspace, *every = parameters_of(scope_of)
    options = [option for option in every if option.name not in without]

    def decorate(function: Callable[..., Spec]) -> Callable[..., Spec]:
        def question(workspace: Workspace, **given: Any) -> Spec:
            scope = scope_of(workspace, **take(given, options))
            return function(**given, scope=scope)

        return signed(question, [workspace, *spread(parameters_of(function), "scope", options)], like=function)

    return decorate


def answer_of(ctx: typer.Context, ask: Callable[..., Result], spec: Any, **how: Any) -> Result:
    """Ask the workspace, whose journey log is built first where it is stale.

    Parameters
    ----------
    ctx : typer.Context
    ask : callable
        Of :mod:`percorso.services`: takes workspace, spec and ``log``.
    spec : object
    **how
        What else it takes, such as the language.
    """
    workspace = workspace_of(ctx)
    return ask(workspace, spec, log=ready_log(workspace, words_of(ctx)), **how)


def asking(question: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of ``command(ctx, spec, own options)``: its options are those of `question`, then its own.

    `question` takes a workspace and options, and returns a spec; a funnel and the people of a funnel so have the same
    options, written down once.
    """
    asked = parameters_of(question)[1:]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        context, _, *own = parameters_of(command)

        def run(ctx: typer.Context, **given: Any) -> None:
            spec = question(workspace_of(ctx), **take(given, asked))
            command(ctx, spec, **given)

        return signed(run, [context, *asked, *own], like=command)

    return decorate
