"""Stage models: which stages a journey has, and which signal reaches which.

The model is data. A journey's stage is the furthest one that its signals reached:

- in a purchase journey, the furthest of the stages of ``aware``, ``consider``, ``convert`` and, for
  Order Completed itself, ``order``;
- in an order journey, from the order on the earlier of the stages of ``care`` and ``advocate``, then the
  furthest reached.

Only one shipped model tells ``order`` from ``convert``; in the others an order is at the stage of
``convert``.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ORDER_SIGNAL", "SIGNALS", "STAGE_MODELS", "Stage", "StageModel", "stage_model_problem"]

#: The signals an inbound event can give, in the order of the journey.
SIGNALS = ("aware", "consider", "convert", "care", "advocate")

#: Order Completed itself, for models that give it a stage of its own.
ORDER_SIGNAL = "order"


@dataclass(frozen=True, slots=True)
class Stage:
    key: str
    en: str
    it: str
    signals: tuple[str, ...]  # of aware, consider, convert, order, care, advocate


_AWARENESS = Stage("awareness", "Awareness", "Consapevolezza", ("aware",))
_CONSIDERATION = Stage("consideration", "Consideration", "Considerazione", ("consider",))
_ADVOCACY = Stage("advocacy", "Advocacy", "Advocacy", ("advocate",))
_PURCHASE = Stage("purchase", "Purchase", "Acquisto", ("convert",))
_LOYALTY = Stage("loyalty", "Loyalty", "Fedeltà", ("care",))
_RETENTION = Stage("retention", "Retention", "Fidelizzazione", ("care",))

_RETAIL = (
    _AWARENESS,
    _CONSIDERATION,
    Stage("conversion", "Conversion", "Acquisto", ("convert",)),
    _RETENTION,
    _ADVOCACY,
)


@dataclass(frozen=True, slots=True)
class StageModel:
    """Stages in order. The `signals` of all stages together hold each of the five signals once."""

    name: str = "retail"
    stages: tuple[Stage, ...] = _RETAIL

    def stage_of(self, signal: str) -> int:
        """Position of the stage that `signal` reaches.

        Parameters
        ----------
        signal : str
            One of SIGNALS, or "order": that of "convert" in models that do not tell the two apart.

        Examples
        --------
        >>> STAGE_MODELS["retail"].stage_of("order"), STAGE_MODELS["familiarity"].stage_of("order")
        (2, 3)
        """
        for position, stage in enumerate(self.stages):
            if signal in stage.signals:
                return position
        if signal == ORDER_SIGNAL:
            return self.stage_of("convert")
        raise KeyError(signal)

    def names(self, language: str) -> dict[str, str]:
        """What the stages are called in a language, by key, in their order."""
        return {stage.key: stage.it if language == "it" else stage.en for stage in self.stages}

    @property
    def after_order(self) -> int:
        """Position of the stage an order journey starts at."""
        return min(self.stage_of("care"), self.stage_of("advocate"))


#: Shipped models by name. `support` keeps support as its last stage: what a customer asks of the shop
#: after an order (care) is support, and a customer who speaks well of it is one retained.
STAGE_MODELS: dict[str, StageModel] = {
    model.name: model
    for model in (
        StageModel(),
        StageModel(
            "evaluation",
            (
                _AWARENESS,
                Stage("evaluation", "Evaluation", "Valutazione", ("consider",)),
                Stage("conversion", "Conversion", "Acquisto", ("convert",)),
                _LOYALTY,
                _ADVOCACY,
            ),
        ),
        StageModel(
            "familiarity",
            (
                _AWARENESS,
                Stage("familiarity", "Familiarity", "Familiarità", ("consider",)),
                Stage("consideration", "Consideration", "Considerazione", ("convert",)),
                Stage("purchase", "Purchase", "Acquisto", (ORDER_SIGNAL,)),
                Stage("loyalty", "Loyalty", "Fedeltà", ("care", "advocate")),
            ),
        ),
        StageModel("purchase", (_AWARENESS, _CONSIDERATION, _PURCHASE, _RETENTION, _ADVOCACY)),
        StageModel(
            "support",
            (
                _AWARENESS,
                _CONSIDERATION,
                _PURCHASE,
                Stage("retention", "Retention", "Fidelizzazione", ("advocate",)),
                Stage("support", "Support", "Assistenza", ("care",)),
            ),
        ),
        StageModel(
            "decision",
            (
                _AWARENESS,
                _CONSIDERATION,
                Stage("decision", "Decision", "Decisione", ("convert",)),
                _LOYALTY,
                _ADVOCACY,
            ),
        ),
    )
}


def stage_model_problem(stages: tuple[Stage, ...]) -> str:
    """Why these stages are no model, as a sentence; empty where they are one."""
    given = [signal for stage in stages for signal in stage.signals]
    missing = [signal for signal in SIGNALS if signal not in given]
    twice = sorted({signal for signal in given if given.count(signal) > 1})
    keys = [stage.key for stage in stages]
    if missing:
        return f"No stage has the signal '{missing[0]}'; every signal needs a stage."
    if twice:
        return f"More than one stage has the signal '{twice[0]}'."
    if len(set(keys)) < len(keys):
        return "Two stages have the same key."
    if not all(stage.signals for stage in stages):
        return "A stage has no signal: no event would ever reach it."
    model = StageModel("custom", stages)
    before = [model.stage_of(signal) for signal in ("aware", "consider", "convert", ORDER_SIGNAL)]
    if before != sorted(before) or before[-1] > model.after_order:
        return "The stages stand in another order than their signals (aware, consider, convert, order; care, advocate)."
    return ""
