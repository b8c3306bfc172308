"""What all questions about a workspace have in common: its log and its basis, and warnings about what was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from percorso.analyses.basis import Basis, basis_of
from percorso.analyses.people import PersonTask, people_table
from percorso.analyses.result import Result
from percorso.analyses.scope_warnings import with_scope_warnings
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog

__all__ = ["Ask", "log_and_basis", "people_answer", "question"]

Spec = TypeVar("Spec", contravariant=True)


class Run(Protocol[Spec]):
    """An analysis."""

    def __call__(self, spec: Spec, log: JourneyLog, basis: Basis, *, threads: int | None) -> Result: ...


class Ask(Protocol[Spec]):
    """A question that a workspace answers."""

    def __call__(
        self, workspace: Workspace, spec: Spec, *, log: JourneyLog | None = None, threads: int | None = None
    ) -> Result:
        """Answer it.

        Parameters
        ----------
        workspace : Workspace
        spec : object
            What is asked.
        log : JourneyLog, optional
            A log that the caller has opened; by default the workspace's, built first where it is stale.
        threads : int, optional
            Default: the cores this process may use.
        """


def question(run: Run[Spec], counted: Callable[[Result], Any]) -> Ask[Spec]:
    """The question that an analysis answers.

    Parameters
    ----------
    run : callable
        ``run(spec, log, basis, threads=...)``.
    counted : callable
        Of the answer: how much was counted. Where it is nothing, a warning says why.
    """

    def ask(workspace: Workspace, spec: Any, *, log: JourneyLog | None = None, threads: int | None = None) -> Result:
        log, basis = log_and_basis(workspace, log)
        answer = run(spec, log, basis, threads=threads)
        return with_scope_warnings(answer, spec.scope, log, basis, is_empty=not counted(answer))

    return ask


def log_and_basis(workspace: Workspace, log: JourneyLog | None) -> tuple[JourneyLog, Basis]:
    """The log that the caller has opened, by default the workspace's, built first where it is stale; and the basis."""
    return fresh_log(workspace) if log is None else log, basis_of(workspace.settings)


def people_answer(
    task: PersonTask,
    spec: Any,
    log: JourneyLog,
    basis: Basis,
    as_of_us: int,
    *,
    threads: int | None,
    **totals: Any,
) -> Result:
    """The persons whom a task marks, as an answer: table ``people``, total ``count`` and those given.

    Parameters
    ----------
    task : PersonTask
    spec : object
        The question.
    log : JourneyLog
    basis : Basis
    as_of_us : int
        µs UTC.
    threads : int, optional
    **totals
        Further totals, by name.
    """
    people = people_table(log, task, threads=threads)
    answer = Result({"people": people}, spec, log.data_version, as_of_us, {"count": people.num_rows, **totals})
    return with_scope_warnings(answer, spec.scope, log, basis, is_empty=not people.num_rows)
