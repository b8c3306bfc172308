"""Cut URLs down to what classification needs, over Arrow string buffers."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, U8, U64
from percorso.kernels.compile import I32_IN, I32_OUT, U8_IN, U8_OUT, U64_OUT2, kernel
from percorso.kernels.hashing import murmur

__all__ = ["cut_hosts", "cut_queries", "hash_pages"]

_SLASH, _QUESTION, _HASH, _AT, _COLON, _BANG = 47, 63, 35, 64, 58, 33


@kernel()
def _page_end(data: U8, start: int, end: int) -> int:
    """Where the page ends: at a query or a fragment, but not at a route such as ``#/cart`` or ``#!cart``."""
    for at in range(start, end):
        c = data[at]
        if c == _QUESTION:
            return at
        if c == _HASH and (at + 1 == end or (data[at + 1] != _SLASH and data[at + 1] != _BANG)):
            return at
    return end


@kernel(types.Tuple((I32_OUT, U8_OUT))(I32_IN, U8_IN))
def cut_queries(offsets: I32, data: U8) -> tuple[I32, U8]:
    """Each URL up to its query or fragment.

    Parameters
    ----------
    offsets : int32, shape (n_values + 1,)
    data : uint8, shape (n_bytes,)

    Returns
    -------
    offsets : int32, shape (n_values + 1,)
    data : uint8, shape (n_kept_bytes,)
    """
    n = offsets.size - 1
    out_offsets = np.zeros(n + 1, dtype=np.int32)
    out = np.empty(offsets[n] - offsets[0], dtype=np.uint8)
    at = 0
    for i in range(n):
        for k in range(offsets[i], _page_end(data, offsets[i], offsets[i + 1])):
            out[at] = data[k]
            at += 1
        out_offsets[i + 1] = at
    return out_offsets, out[:at].copy()


@kernel(types.Tuple((I32_OUT, U8_OUT))(I32_IN, U8_IN))
def cut_hosts(offsets: I32, data: U8) -> tuple[I32, U8]:
    """The host of each URL, lower-cased, without port and credentials; "" where there is none.

    ``https://user@Www.Example.org:8080/a?b`` gives ``www.example.org``; a bare host gives itself.
    """
    n = offsets.size - 1
    out_offsets = np.zeros(n + 1, dtype=np.int32)
    out = np.empty(offsets[n] - offsets[0], dtype=np.uint8)
    at = 0
    for i in range(n):
        start, end = offsets[i], offsets[i + 1]
        for k in range(start, end - 1):
            if data[k] == _SLASH:
                if data[k + 1] == _SLASH:
                    start = k + 2
                break
        begin = at
        for k in range(start, end):
            c = data[k]
            if c == _SLASH or c == _QUESTION or c == _HASH:
                break
            if c == _AT:
                at = begin
                continue
            if 65 <= c <= 90:
                c += 32
            out[at] = c
            at += 1
        for k in range(begin, at):
            if out[k] == _COLON:
                at = k
                break
        out_offsets[i + 1] = at
    return out_offsets, out[:at].copy()


@kernel(types.void(I32_IN, U8_IN, U64_OUT2))
def hash_pages(offsets: I32, data: U8, keys: U64) -> None:
    """128-bit hash of each URL up to its query or fragment, into `keys`, uint64, shape (n_values, 2)."""
    for i in range(offsets.size - 1):
        end = _page_end(data, offsets[i], offsets[i + 1])
        keys[i, 0], keys[i, 1] = murmur(data, offsets[i], end, np.uint64(0), np.uint64(0))
