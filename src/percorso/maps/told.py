"""The answer of percorso.analyses.map, by stage, and the words that it is told in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from percorso.analyses.result import Result
from percorso.language.measures import SHARE
from percorso.language.words import Words
from percorso.settings.stages import StageModel

__all__ = ["Row", "Told"]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """Rows of the answer by stage, and the language."""

    answer: Result
    words: Words
    model: StageModel
    names: Mapping[str, str]  # of the stages, in their order

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(self.names)

    def rows(self, table: str, stage: str, **wanted: str) -> list[Row]:
        return [
            row
            for row in self.answer.tables[table].to_pylist()
            if row["stage"] == stage and all(row[name] == value for name, value in wanted.items())
        ]

    def share(self, row: Row, name: str = "share") -> str:
        """A share with its interval."""
        return self.words.numbers.interval(row[name], row["low"], row["high"], SHARE)
