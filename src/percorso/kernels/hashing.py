"""128-bit hashes of rows: MurmurHash3 x64 128 over Arrow buffers, one column at a time.

A row's state is two 64-bit words, (0, 0) at first. Each column that is not null in the row changes it:

    state = murmur3_x64_128(value bytes, seeded with state XOR tag of the column)

The finalisation of the hash mixes in the value's length, so neither moving a byte from one cell to the next
nor swapping two cells goes unnoticed; a null changes nothing, the tag says which column spoke. So a table
that gains a column keeps the keys of the rows that have nothing in it.

Source: Austin Appleby, MurmurHash3 (public domain), variant x64_128 with two 64-bit seeds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.compile import I32_IN, I64_IN, U8_IN, U8_OUT, U64_IN2, U64_OUT2, kernel
from percorso.kernels.memory import load_u32, load_u64

__all__ = ["hash_bytes", "hash_bytes_large", "hash_fixed", "hash_words", "write_hex"]

_C1 = np.uint64(0x87C37B91114253D5)
_C2 = np.uint64(0x4CF5AD432745937F)
_F1 = np.uint64(0xFF51AFD7ED558CCD)
_F2 = np.uint64(0xC4CEB9FE1A85EC53)
_M1 = np.uint64(0x52DCE729)
_M2 = np.uint64(0x38495AB5)
_5 = np.uint64(5)
_ZERO = np.uint64(0)


@kernel(inline="always")
def _rotl(x: np.uint64, r: int) -> np.uint64:
    return np.uint64((x << np.uint64(r)) | (x >> np.uint64(64 - r)))


@kernel(inline="always")
def _fmix(k: np.uint64) -> np.uint64:
    k ^= k >> np.uint64(33)
    k *= _F1
    k ^= k >> np.uint64(33)
    k *= _F2
    k ^= k >> np.uint64(33)
    return k


@kernel(inline="always")
def _last(data: npt.NDArray[np.uint8], start: int, at: int, end: int) -> np.uint64:
    """The 1 to 8 bytes from `at` to `end` as a word, read without stepping over either end of the value."""
    n = end - at
    if end - start >= 8:
        return np.uint64(load_u64(data, end - 8) >> np.uint64(8 * (8 - n)))
    if n >= 4:
        return np.uint64(load_u32(data, at)) | np.uint64(load_u32(data, end - 4)) << np.uint64(8 * (n - 4))
    word = _ZERO
    for i in range(n):
        word |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return word


@kernel(inline="always")
def _mix1(k: np.uint64) -> np.uint64:
    return np.uint64(_rotl(k * _C1, 31) * _C2)


@kernel(inline="always")
def _mix2(k: np.uint64) -> np.uint64:
    return np.uint64(_rotl(k * _C2, 33) * _C1)


@kernel()
def murmur(
    data: npt.NDArray[np.uint8], start: int, end: int, h1: np.uint64, h2: np.uint64
) -> tuple[np.uint64, np.uint64]:
    at = start
    while at + 16 <= end:
        h1 ^= _mix1(load_u64(data, at))
        h1 = (_rotl(h1, 27) + h2) * _5 + _M1
        h2 ^= _mix2(load_u64(data, at + 8))
        h2 = (_rotl(h2, 31) + h1) * _5 + _M2
        at += 16
    if at + 8 < end:
        h2 ^= _mix2(_last(data, start, at + 8, end))
        h1 ^= _mix1(load_u64(data, at))
    elif at < end:
        h1 ^= _mix1(_last(data, start, at, end))
    return _finish(h1, h2, np.uint64(end - start))


@kernel(inline="always")
def _finish(h1: np.uint64, h2: np.uint64, length: np.uint64) -> tuple[np.uint64, np.uint64]:
    h1 ^= length
    h2 ^= length
    h1 += h2
    h2 += h1
    h1 = _fmix(h1)
    h2 = _fmix(h2)
    h1 += h2
    h2 += h1
    return h1, h2


@kernel(inline="always")
def _is_valid(validity: npt.NDArray[np.uint8], bit: int) -> bool:
    return len(validity) == 0 or (validity[bit >> 3] >> (bit & 7)) & 1 != 0


@kernel(types.void(I32_IN, U8_IN, U8_IN, types.int64, types.uint64, U64_OUT2))
def hash_bytes(
    offsets: npt.NDArray[np.int32],
    data: npt.NDArray[np.uint8],
    validity: npt.NDArray[np.uint8],
    bit_offset: int,
    tag: int,
    state: npt.NDArray[np.uint64],
) -> None:
    """Mix a string or binary column into the state of each row.

    Parameters
    ----------
    offsets : ndarray of int32, shape (n_rows + 1,)
        Where each value starts in `data`, as in Arrow.
    data : ndarray of uint8
    validity : ndarray of uint8
        Arrow's bit map, least significant bit first; empty: no nulls.
    bit_offset : int
        Bit of the first row.
    tag : uint64
        What tells this column from the others.
    state : ndarray of uint64, shape (n_rows, 2)
        Changed in place.
    """
    for i in range(len(offsets) - 1):
        if _is_valid(validity, bit_offset + i):
            state[i, 0], state[i, 1] = murmur(
                data, offsets[i], offsets[i + 1], state[i, 0] ^ np.uint64(tag), state[i, 1] ^ np.uint64(tag)
            )


@kernel(types.void(I64_IN, U8_IN, U8_IN, types.int64, types.uint64, U64_OUT2))
def hash_bytes_large(
    offsets: npt.NDArray[np.int64],
    data: npt.NDArray[np.uint8],
    validity: npt.NDArray[np.uint8],
    bit_offset: int,
    tag: int,
    state: npt.NDArray[np.uint64],
) -> None:
    """`hash_bytes` for 64-bit offsets."""
    for i in range(len(offsets) - 1):
        if _is_valid(validity, bit_offset + i):
            state[i, 0], state[i, 1] = murmur(
                data, offsets[i], offsets[i + 1], state[i, 0] ^ np.uint64(tag), state[i, 1] ^ np.uint64(tag)
            )


@kernel(types.void(U8_IN, types.int64, U8_IN, types.int64, types.uint64, U64_OUT2))
def hash_fixed(
    data: npt.NDArray[np.uint8],
    width: int,
    validity: npt.NDArray[np.uint8],
    bit_offset: int,
    tag: int,
    state: npt.NDArray[np.uint64],
) -> None:
    """Mix a column of values of `width` bytes each into the state of each row."""
    for i in range(len(state)):
        if _is_valid(validity, bit_offset + i):
            state[i, 0], state[i, 1] = murmur(
                data, i * width, (i + 1) * width, state[i, 0] ^ np.uint64(tag), state[i, 1] ^ np.uint64(tag)
            )


@kernel(types.void(I64_IN, U8_IN, types.int64, types.uint64, U64_OUT2))
def hash_words(
    values: npt.NDArray[np.int64],
    validity: npt.NDArray[np.uint8],
    bit_offset: int,
    tag: int,
    state: npt.NDArray[np.uint64],
) -> None:
    """`hash_fixed` for 8-byte values, without going through bytes."""
    for i in range(len(values)):
        if _is_valid(validity, bit_offset + i):
            h1 = state[i, 0] ^ np.uint64(tag) ^ _mix1(np.uint64(values[i]))
            state[i, 0], state[i, 1] = _finish(h1, state[i, 1] ^ np.uint64(tag), np.uint64(8))


@kernel(types.void(U64_IN2, U8_OUT))
def write_hex(keys: npt.NDArray[np.uint64], out: npt.NDArray[np.uint8]) -> None:
    """Keys, shape (n, 2), as 32 hexadecimal digits each; `out` has shape (32 * n,)."""
    for i in range(len(keys)):
        for half in range(2):
            word = keys[i, half]
            for digit in range(16):
                nibble = np.uint8((word >> np.uint64(60 - 4 * digit)) & np.uint64(15))
                out[32 * i + 16 * half + digit] = nibble + (48 if nibble < 10 else 87)
