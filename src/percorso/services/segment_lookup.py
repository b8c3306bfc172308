"""Find the segments and personas that are known, and the rule of one for a question.

Every question may ask, so nothing here loads a database library.
"""

from __future__ import annotations

from percorso.analyses.person_tree import RULE_FORMAT
from percorso.errors import FormatTooNew, NotFound, nearest_hint
from percorso.language.said import said
from percorso.services.reasons import one_line
from percorso.services.workspace import Workspace
from percorso.store import database
from percorso.store.database import Segment

__all__ = ["find_segment", "list_segments", "persons_of"]


def list_segments(workspace: Workspace) -> tuple[Segment, ...]:
    """All segments by name.

    Raises
    ------
    FormatTooNew
        A newer Percorso wrote the database.
    """
    return tuple(database.read_segments(workspace.database))


def find_segment(workspace: Workspace, name: str) -> Segment:
    """The segment of a name, upper and lower case alike.

    Raises
    ------
    NotFound
        There is none; the hint names the nearest.
    FormatTooNew
        A newer Percorso wrote its rule.
    """
    known = {one.name.casefold(): one for one in list_segments(workspace)}
    found = known.get(one_line(name).casefold())
    if found is None:
        names = [one.name for one in known.values()]
        hint = nearest_hint(name, names) or said(
            "errors.segment_hint", command='percorso segment define NAME --where "orders >= 2"'
        )
        raise NotFound(said("errors.no_segment", name=one_line(name)[:60]), hint=hint)
    if found.rules[-1].rule_format > RULE_FORMAT:
        raise FormatTooNew("The rule of this segment was written by a newer Percorso.", hint="Upgrade Percorso.")
    return found


def persons_of(workspace: Workspace, persona: str, persons: str) -> tuple[str, str]:
    """Name and rule for the scope of a question that names a persona, a rule, both or neither."""
    if not persona:
        return "", persons
    found = find_segment(workspace, persona)
    rule = f"({found.rule}) and ({persons})" if persons.strip() else found.rule
    return found.name, rule
