"""What each engine does, as data: commands ask it, and ``docs/how-to/spark.md`` shows it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["ABILITIES", "Ability", "ability_of"]

#: ``workers``: in tasks of Spark's. ``here``: in this process, with the same answer. ``no``: refused.
Where = Literal["workers", "here", "no"]


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that is asked of an engine.

    Parameters
    ----------
    name : str
    commands : tuple of str
        Of the command line, that do it.
    spark : {"workers", "here", "no"}
        Where it is done with ``--engine spark``; with ``--engine local`` all is done in this process.
    note : str
        What there is to know of it with Spark, for the docs.
    """

    name: str
    commands: tuple[str, ...]
    spark: Where
    note: str


ABILITIES: tuple[Ability, ...] = (
    Ability(
        "questions",
        (
            "funnel",
            "flow",
            "variants",
            "channels",
            "places",
            "touchpoints",
            "stages",
            "journeys",
            "retention",
            "lifecycle",
            "suggest",
            "kpis",
            "map",
            "quality",
            "report",
            "segment",
        ),
        "workers",
        "A task for some buckets of the journey log; this process adds up what tasks say.",
    ),
    Ability("lists of people", ("people",), "workers", "As questions; the list comes to this process."),
    Ability("one customer", ("customer",), "here", "Reads the one bucket that the person stands in."),
    Ability("your own SQL", ("sql",), "here", "DuckDB reads the log's files; it has no tasks on other machines."),
    Ability(
        "build of the journey log",
        ("build",),
        "workers",
        "Tasks read the lake, bring the rows of a person together and write the log; upon the last build, too.",
    ),
    Ability(
        "identity by person",
        ("identity", "erase", "export-person"),
        "here",
        "Reads the rows of one person. `identity` reads what the last build learned, too: after a build on Spark it "
        "builds everything once more, here.",
    ),
    Ability("import", ("import", "rejected"), "no", "Files are read where they lie, in one commit each."),
    Ability("workspaces", ("init", "demo", "simulate", "spark"), "no", "There is nothing to work out."),
    Ability("training of models", (), "no", "No command does it yet, with any engine."),
)

_BY_COMMAND = MappingProxyType({command: one for one in ABILITIES for command in one.commands})


def ability_of(command: str) -> Ability | None:
    """What a command does; None where there is no such command.

    Examples
    --------
    >>> ability_of("funnel").spark
    'workers'
    """
    return _BY_COMMAND.get(command)
