"""Who is found to be one person in the demo shop, against the truth that the simulator knows."""

from __future__ import annotations

from percorso.demo.simulate import Simulated
from percorso.facade import Percorso
from percorso.services.workspace import Workspace
from tests.demo.truth_of_shop import rows_of
from tests.identity.pair_metrics import pair_metrics


def test_persons_found_are_those_of_the_truth(shop: Percorso, workspace: Workspace, simulated: Simulated) -> None:
    rows = rows_of(shop, workspace, simulated.truth)
    found = pair_metrics(rows.predicted, rows.person, rows.connected)
    print(
        f"{len(rows.person):,} events, {rows.left_out:,} left out: precision {found.precision:.4f}, "
        f"recall over connected pairs {found.recall:.4f}, plain recall {found.plain_recall:.4f}"
    )
    assert rows.left_out < len(rows.person) / 50
    assert found.precision >= 0.99
    assert found.recall >= 0.95
