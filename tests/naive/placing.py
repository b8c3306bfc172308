"""Plain twin of identity placement: who owns each event, by the words of the identity rules."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Row", "owners"]


@dataclass(frozen=True)
class Row:
    position: tuple[int, str]  # the total order: time, message id
    strong: str | None
    anonymous: str | None
    device: str | None
    signed_out: bool = False

    @property
    def weak(self) -> list[str]:
        return [w for w in (self.anonymous, self.device) if w]


def owners(rows: list[Row], backfill: int) -> list[tuple[str, str]]:
    """For each row (rule, owner): the strong identifier, or what keys the anonymous person."""
    return [_owner(row, rows, backfill) for row in rows]


def _owner(row: Row, rows: list[Row], backfill: int) -> tuple[str, str]:
    if row.strong:
        return "strong", row.strong
    if not row.weak:
        return "unidentified", ""
    logins = {w: [r for r in rows if w in r.weak and r.strong and not r.signed_out] for w in row.weak}
    w = next((w for w in row.weak if logins[w]), row.weak[0])
    before = [r for r in logins[w] if r.position <= row.position]
    after = sorted((r for r in logins[w] if r.position > row.position), key=lambda r: r.position)
    if before:
        login = max(before, key=lambda r: r.position)
        outs = [r for r in rows if r.signed_out and w in r.weak and login.position < r.position < row.position]
        if not outs:
            return "login_before", str(login.strong)
        if after and after[0].strong == login.strong:
            return "signed_out_same", str(login.strong)
        return "signed_out", f"{w}|{min(outs, key=lambda r: r.position).position[1]}"
    if after and after[0].position[0] - row.position[0] <= backfill:
        return "login_after", str(after[0].strong)
    return "anonymous", w
