"""What of an import was erased before, and so stays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.conversion import Reject
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.suppression import Suppression
from percorso.services.import_rows import event_keys
from percorso.services.workspace import Workspace
from percorso.store import database
from percorso.store.columns import whole
from percorso.store.lake_erase import erased_name
from percorso.store.row_keys import keys_as_binary

__all__ = ["ImportGate", "import_gate"]


@dataclass(frozen=True, slots=True)
class ImportGate:
    """Lets rows in, but for those that were erased.

    Parameters
    ----------
    suppression : Suppression, optional
        None: nothing was ever erased.
    spaces : tuple of str
        Id spaces of the import's source.
    """

    suppression: Suppression | None
    spaces: tuple[str, ...] = ()

    def events(self, events: pa.Table) -> tuple[pa.Table, int]:
        """The events that come in, and the number of those that do not."""
        if self.suppression is None or not len(events):
            return events, 0
        admission = self.suppression.admit(events)
        if admission.cut:
            for name, rows in admission.cut.items():
                place = events.schema.get_field_index(name)
                kept = pc.if_else(pa.array(rows), pa.scalar(None, pa.string()), whole(events.column(name)))
                events = events.set_column(place, events.schema.field(place), kept)
            place = events.schema.get_field_index("row_key")
            events = events.set_column(place, events.schema.field(place), keys_as_binary(event_keys(events)))
        if admission.keep.all():
            return events, 0
        return events.filter(pa.array(admission.keep)), int((~admission.keep).sum())

    def rejects(self, rejected: Sequence[Reject]) -> list[Reject]:
        """The rejected rows that may be kept."""
        if self.suppression is None:
            return list(rejected)
        return [one for one in rejected if not self.suppression.has_rejected(one.raw, spaces=self.spaces)]

    def file_name(self, name: str, batch: int) -> str:
        """What an import's file is called in the lake: its name, unless that names somebody who was erased."""
        stems = [name.rsplit(".", dots)[0] for dots in range(name.count(".") + 1)]
        named = self.suppression is not None and any(
            self.suppression.has_rejected(stem, spaces=self.spaces) for stem in stems
        )
        return erased_name(batch) if named else name


def import_gate(workspace: Workspace, *, spaces: Sequence[str]) -> ImportGate:
    """The gate of an import; read it while no erasure can begin, that is with the lake's write lock held.

    Parameters
    ----------
    workspace : Workspace
    spaces : sequence of str
        Id spaces of the import's source.
    """
    identifiers = database.read_erased_identifiers(workspace.database)
    rows = database.read_suppressions(workspace.database, "row")
    if not identifiers and not rows:
        return ImportGate(None)
    identity = workspace.settings.identity
    rules = IdentifierRules(identity, workspace.settings.workspace.country)
    suppression = Suppression(identifiers, rows, rules, workspace.secret, own_types=tuple(identity.own_types))
    return ImportGate(suppression, tuple(dict.fromkeys(spaces)))
