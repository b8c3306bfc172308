"""MurmurHash3 x64 128 and row keys in plain Python: the twin of percorso.kernels.hashing and .counting."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

_WORD = (1 << 64) - 1


def _rotl(x: int, r: int) -> int:
    return (x << r | x >> (64 - r)) & _WORD


def _fmix(k: int) -> int:
    k = (k ^ k >> 33) * 0xFF51AFD7ED558CCD & _WORD
    k = (k ^ k >> 33) * 0xC4CEB9FE1A85EC53 & _WORD
    return k ^ k >> 33


def murmur(data: bytes, h1: int = 0, h2: int = 0) -> tuple[int, int]:
    """MurmurHash3 x64 128 of some bytes, seeded with two words."""
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    for i in range(0, len(data) - len(data) % 16, 16):
        k1, k2 = int.from_bytes(data[i : i + 8], "little"), int.from_bytes(data[i + 8 : i + 16], "little")
        h1 ^= _rotl(k1 * c1 & _WORD, 31) * c2 & _WORD
        h1 = ((_rotl(h1, 27) + h2) * 5 + 0x52DCE729) & _WORD
        h2 ^= _rotl(k2 * c2 & _WORD, 33) * c1 & _WORD
        h2 = ((_rotl(h2, 31) + h1) * 5 + 0x38495AB5) & _WORD
    tail = data[len(data) - len(data) % 16 :]
    h2 ^= _rotl(int.from_bytes(tail[8:], "little") * c2 & _WORD, 33) * c1 & _WORD
    h1 ^= _rotl(int.from_bytes(tail[:8], "little") * c1 & _WORD, 31) * c2 & _WORD
    h1, h2 = h1 ^ len(data), h2 ^ len(data)
    h1 = (h1 + h2) & _WORD
    h2 = (h2 + h1) & _WORD
    h1, h2 = _fmix(h1), _fmix(h2)
    h1 = (h1 + h2) & _WORD
    return h1, (h2 + h1) & _WORD


def row_key(row: Sequence[tuple[str, bytes | None]]) -> tuple[int, int]:
    """Key of a row given as (column name, value as bytes) in the order of hashing."""
    h1 = h2 = 0
    for name, value in row:
        if value is not None:
            tag = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
            h1, h2 = murmur(value, h1 ^ tag, h2 ^ tag)
    return h1, h2


def count_before(keys: Iterable[tuple[int, int]]) -> list[int]:
    """How many equal keys came before each."""
    seen: dict[tuple[int, int], int] = {}
    before = []
    for key in keys:
        before.append(seen.get(key, 0))
        seen[key] = before[-1] + 1
    return before
