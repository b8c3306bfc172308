"""The question of a funnel: how many get from step to step, in which order, how fast, counting what."""

from __future__ import annotations

from dataclasses import dataclass, field

from percorso.analyses.conditions import Condition
from percorso.analyses.spec import Scope
from percorso.analyses.step_terms import Exclusion, parse_exclusion, parse_step
from percorso.errors import SpecError, nearest_hint
from percorso.kernels.funnel import MAX_STEPS
from percorso.settings.durations import parse_duration_us

__all__ = ["COUNTS", "ORDERS", "STARTS", "FunnelSpec"]

ORDERS = ("ordered", "strict", "any")
STARTS = ("latest", "first")
COUNTS = ("persons", "journeys", "sessions", "totals")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelSpec:
    """A funnel. Defined in docs/reference/funnel.md.

    Parameters
    ----------
    steps : tuple of str
        1 to 15 steps (docs/reference/steps.md). The same step twice must be done twice.
    within : str
        Longest time from step 1 to any step, inclusive, such as "7d"; "" for no limit.
    step_within : str
        Longest time from any step to the next; "" for no limit.
    order : {"ordered", "strict", "any"}
        In order with anything between; in order with nothing between; in any order.
    start : {"latest", "first"}
        Which step 1 starts the clock: the latest that still leads on, or the unit's first, and no other.
    count : {"persons", "journeys", "sessions", "totals"}
        What is counted: each person, journey or session once, or every attempt of every person.
    exclude : tuple of str
        Events that end an attempt when they come between two of its steps; with ``"Cart Viewed@1-2"`` only between
        these two.
    optional : tuple of str
        Those of `steps` that may be skipped; neither the first nor the last.
    counts_only : bool
        No times between steps, and no orders in the totals: faster.
    scope : Scope
        Period, conditions, break-down (by the attempt's first event); its `per` is not used.
    """

    steps: tuple[str, ...]
    within: str = "7d"
    step_within: str = ""
    order: str = "ordered"
    start: str = "latest"
    count: str = "persons"
    exclude: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    counts_only: bool = False
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        _check_one_of("order", self.order, ORDERS)
        _check_one_of("start", self.start, STARTS)
        _check_one_of("count", self.count, COUNTS)
        for window in (self.within, self.step_within):
            if window:
                parse_duration_us(window)
        if not 1 <= len(self.steps) <= MAX_STEPS or len(self.exclude) > MAX_STEPS:
            raise SpecError(f"A funnel has 1 to {MAX_STEPS} steps, and at most as many exclusions.")
        self.conditions()
        self._check_exclusions()
        self._check_optional()
        if self.order == "any" and (self.step_within or self.optional):
            raise SpecError(
                "In any order there is no step before another.", hint="Leave out the step window and optional steps."
            )

    def conditions(self) -> tuple[Condition, ...]:
        """`steps`, parsed."""
        return tuple(parse_step(step) for step in self.steps)

    def exclusions(self) -> tuple[Exclusion, ...]:
        """`exclude`, parsed."""
        return tuple(parse_exclusion(text) for text in self.exclude)

    def _check_exclusions(self) -> None:
        for text, exclusion in zip(self.exclude, self.exclusions(), strict=True):
            if self.order == "strict":
                raise SpecError("Strict order already allows nothing between two steps.", hint="Leave out exclusions.")
            if exclusion.before > len(self.steps):
                raise SpecError(f"'{text}' names a step that there is not.", hint=f"There are {len(self.steps)} steps.")
            if exclusion.before and (self.optional or self.order == "any"):
                raise SpecError(
                    "An exclusion between two given steps needs an order without optional steps.",
                    hint=f"Leave out '@{exclusion.after}-{exclusion.before}'.",
                )

    def _check_optional(self) -> None:
        for step in self.optional:
            if step not in self.steps:
                raise SpecError(
                    f"The optional step '{step}' is none of the steps.", hint=nearest_hint(step, self.steps)
                )
            if step in (self.steps[0], self.steps[-1]):
                raise SpecError("The first and the last step cannot be optional.")


def _check_one_of(name: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise SpecError(f"'{given}' is no {name} of a funnel.", hint=nearest_hint(given, allowed))
