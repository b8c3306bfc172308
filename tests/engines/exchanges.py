"""An exchange for tests that takes every liberty that a cluster takes: see `RandomExchange`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import cloudpickle

from percorso.engines.exchange import Flow, Piece, Step, decode_table, encode_table, sliced

__all__ = ["RandomExchange"]


@dataclass
class RandomFlow:
    """Pieces as bytes, handed out in random order and worked out anew for every reader that did not keep them."""

    make: Callable[[], list[tuple[str, int, bytes]]]
    exchange: RandomExchange

    def only(self, *kinds: str) -> Flow:
        return RandomFlow(lambda: [piece for piece in self.make() if piece[0] in kinds], self.exchange)

    def beside(self, *others: Flow) -> Flow:
        def every() -> list[tuple[str, int, bytes]]:
            return [piece for flow in (self, *others) for piece in flow.make()]  # type: ignore[attr-defined]

        return RandomFlow(every, self.exchange)

    def step(self, work: Step, *, n_parts: int | None = None) -> Flow:
        def worked() -> list[tuple[str, int, bytes]]:
            pieces = self.make()
            self.exchange.rng.shuffle(pieces)
            parts: dict[int, list[tuple[str, int, bytes]]] = {}
            for piece in pieces:
                assert 0 <= piece[1] < (n_parts or self.exchange.n_parts), "a piece goes to no part"
                parts.setdefault(piece[1], []).append(piece)
            found: list[tuple[str, int, bytes]] = []
            for part, mine in parts.items():
                sent: Step = cloudpickle.loads(cloudpickle.dumps(work))
                found += self.exchange.encoded(sent(part, _decoded(mine)))
            self.exchange.steps += 1
            return found

        return RandomFlow(worked, self.exchange)

    def kept(self) -> Flow:
        held: list[list[tuple[str, int, bytes]]] = []

        def once() -> list[tuple[str, int, bytes]]:
            if not held:
                held.append(self.make())
            return list(held[0])

        return RandomFlow(once, self.exchange)

    def release(self) -> None:
        """Nothing is held elsewhere."""

    def read(self) -> list[Piece]:
        return list(_decoded(self.make()))


@dataclass
class RandomExchange:
    """Works on parts one after the other, on pickled copies of the steps, their pieces in random order."""

    n_parts: int
    rng: random.Random = field(default_factory=lambda: random.Random(11))
    steps: int = 0

    def start(self, n_tasks: int, work: Callable[[int], Iterator[Piece]]) -> Flow:
        def made() -> list[tuple[str, int, bytes]]:
            numbers = self.rng.sample(range(n_tasks), n_tasks)
            sent = cloudpickle.loads(cloudpickle.dumps(work))
            return [piece for number in numbers for piece in self.encoded(sent(number))]

        return RandomFlow(made, self)

    def encoded(self, pieces: Iterable[Piece]) -> list[tuple[str, int, bytes]]:
        """Pieces as bytes, some of them cut."""
        found = []
        for piece in pieces:
            most_bytes = self.rng.choice([1 << 20, 1 << 20, max(piece.rows.nbytes // 2, 1)])
            found += [(small.kind, small.part, encode_table(small.rows)) for small in sliced(piece, most_bytes)]
        return found


def _decoded(pieces: Iterable[tuple[str, int, bytes]]) -> Iterator[Piece]:
    for kind, part, data in pieces:
        yield Piece(kind, part, decode_table(data))
