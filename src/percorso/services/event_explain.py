"""Single events, told with what decided about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from percorso.identity.event_evidence import RowEvidence, evidence_of
from percorso.identity.masking import mask
from percorso.identity.rows import OWNING_REFERENCES
from percorso.identity.rules import placement_rules
from percorso.services.explained import EventExplanation, ShownEvent
from percorso.services.identity_state import KnownIdentity, ShownIdentifier
from percorso.store.mapped import open_parquet

__all__ = ["EventTeller"]


@dataclass(slots=True)
class EventTeller:
    """Tells of rows of the identity state; what the state does not hold it reads from the lake, once."""

    known: KnownIdentity
    _read: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def explained(self, rows: Sequence[int]) -> list[EventExplanation]:
        """Why each of some rows is whose it is."""
        known = self.known
        rules = placement_rules(known.workspace.settings).timelines
        found = [evidence_of(known.state, known.graph, rules, row) for row in rows]
        named = [
            row
            for one in found
            for row in (one.row, one.login, one.sign_out, one.next_login, one.owner)
            if row is not None
        ]
        self._fetch(named)
        return [self._explained(one) for one in found]

    def event(self, row: int) -> ShownEvent:
        """A row to point at."""
        self._fetch([row])
        state = self.known.state
        unit = int(state.arrays["unit"][row])
        return ShownEvent(
            message_id=state.rows.message_ids(np.array([row]))[0].decode(),
            source=state.rows.sources[int(state.rows.column("source")[row])],
            name=str(self._read[row]["name"] or ""),
            time_us=int(state.arrays["time"][row]),
            person=self.known.persons([unit])[0] if unit >= 0 else None,
        )

    def _explained(self, one: RowEvidence) -> EventExplanation:
        decided = None
        if one.strong is not None:
            decided = self.known.shown(one.strong)
        elif one.weak is not None:
            decided = self.known.shown(one.weak.code, weak=not one.weak.shared)
        value = None if one.reference is None else str(self._read[one.row][one.reference])
        return EventExplanation(
            event=self.event(one.row),
            rule=one.rule,
            identifiers=self._identifiers(one.row),
            decided_by=decided,
            login=self._maybe(one.login),
            sign_out=self._maybe(one.sign_out),
            next_login=self._maybe(one.next_login),
            reference=one.reference,
            reference_value=value if value is None or self.known.personal else mask(one.reference or "", value),
            owner=self._maybe(one.owner),
        )

    def _maybe(self, row: int | None) -> ShownEvent | None:
        return None if row is None else self.event(row)

    def _identifiers(self, row: int) -> tuple[ShownIdentifier, ...]:
        rows, graph = self.known.state.rows, self.known.graph
        sset = int(rows.column("sset")[row])
        strong = [self.known.shown(code) for code in (graph.members(sset) if sset >= 0 else ())]
        weak = [int(rows.column(name)[row]) for name in ("anonymous", "device")]
        return (*strong, *(self.known.shown(code, weak=True) for code in weak if code >= 0))

    def _fetch(self, rows: Sequence[int]) -> None:
        """Read what the lake alone has of some rows."""
        missing = sorted(set(rows) - self._read.keys())
        if not missing:
            return
        columns = ["name", *OWNING_REFERENCES]
        for part in self.known.state.ranges:
            inside = [row for row in missing if part.start <= row < part.start + part.rows]
            if not inside:
                continue
            with open_parquet(self.known.lake_path(part)) as parquet:
                sizes = [parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups)]
                ends = np.cumsum(sizes)
                for row in inside:
                    group = int(np.searchsorted(ends, row - part.start, side="right"))
                    place = row - part.start - int(ends[group]) + sizes[group]
                    table = parquet.read_row_group(group, columns=columns)
                    self._read[row] = table.slice(place, 1).to_pylist()[0]
