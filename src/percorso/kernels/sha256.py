"""HMAC-SHA-256 of many short texts: the keyed hashes that stand for identifiers and persons.

Why own code: ``hmac.digest`` of the standard library costs 2.1 µs a call, and all of it under the interpreter's
lock, because it hashes the key again each time and makes Python objects. A build of 20 million events hashes 3 million
identifiers: more than six seconds on one core, a tenth of the whole. Here the key is hashed once
(`hmac_states`), and the texts in a loop that runs in as many threads as there are cores.

With the block function ``compress`` of SHA-256 and a key of at most 64 bytes, padded with zeros:

    inner = compress(IV, key XOR 0x36...36)            outer = compress(IV, key XOR 0x5c...5c)
    HMAC(text) = finish(outer, finish(inner, text))    finish: pad with 0x80, zeros, length in bits; compress

Sources: FIPS 180-4 (section 5.1.1 padding, 5.3.3 initial value, 6.2.2 block function); RFC 2104 (HMAC).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numba import types

from percorso.kernels.arrays import I64, U8, U32
from percorso.kernels.compile import I64_IN, U8_IN, U32_IN, U32_OUT, kernel
from percorso.kernels.memory import load_u32

__all__ = ["HASH_BYTES", "hmac_many", "hmac_states"]

#: A keyed hash is cut to 128 bits.
HASH_BYTES = 16

_BLOCK = 64

# First 32 bits of the fractional parts of the square roots of the first 8 primes, and of the cube roots of
# the first 64 (FIPS 180-4, sections 5.3.3 and 4.2.2).
_INITIAL = np.array(
    [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19], dtype=np.uint32
)
_ROUND = np.array(
    [
        *(0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5),
        *(0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174),
        *(0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA),
        *(0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967),
        *(0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85),
        *(0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070),
        *(0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3),
        *(0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2),
    ],
    dtype=np.uint32,
)

# numba widens sums of 32-bit words to 64 bits: each is cut back before it is turned or shifted to the right.


@kernel()
def _rotr(x: np.uint32, r: int) -> np.uint32:
    return np.uint32((x >> np.uint32(r)) | (x << np.uint32(32 - r)))


@kernel()
def _swapped(x: np.uint32) -> np.uint32:
    """The word with its bytes in the other order."""
    low = np.uint32(np.uint32(x << np.uint32(24)) | (np.uint32(x << np.uint32(8)) & np.uint32(0x00FF0000)))
    high = np.uint32((np.uint32(x >> np.uint32(8)) & np.uint32(0x0000FF00)) | np.uint32(x >> np.uint32(24)))
    return np.uint32(low | high)


@kernel()
def _temporary(
    e: np.uint32, f: np.uint32, g: np.uint32, h: np.uint32, constant: np.uint32, word: np.uint32
) -> np.uint32:
    """T1 of a round."""
    turned = np.uint32(_rotr(e, 6) ^ _rotr(e, 11) ^ _rotr(e, 25))
    chosen = np.uint32(g ^ (e & (f ^ g)))
    return np.uint32(h + turned + chosen + constant + word)


@kernel()
def _second(a: np.uint32, b: np.uint32, c: np.uint32) -> np.uint32:
    """T2 of a round."""
    turned = np.uint32(_rotr(a, 2) ^ _rotr(a, 13) ^ _rotr(a, 22))
    majority = np.uint32((a & b) | (c & (a | b)))
    return np.uint32(turned + majority)


@kernel()
def _compress(state: U32, words: U32) -> None:
    """Mix a block into `state`, shape (8,): the first 16 of `words`, shape (64,); the others are scratch."""
    for i in range(16, 64):
        near, far = words[i - 2], words[i - 15]
        s0 = np.uint32(_rotr(far, 7) ^ _rotr(far, 18) ^ np.uint32(far >> np.uint32(3)))
        s1 = np.uint32(_rotr(near, 17) ^ _rotr(near, 19) ^ np.uint32(near >> np.uint32(10)))
        words[i] = np.uint32(words[i - 16] + s0 + words[i - 7] + s1)
    a, b, c, d, e, f, g, h = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
    # Eight rounds a turn, so that the eight words trade places by name and not by moving.
    for i in range(0, 64, 8):
        t = _temporary(e, f, g, h, _ROUND[i], words[i])
        d = np.uint32(d + t)
        h = np.uint32(t + _second(a, b, c))
        t = _temporary(d, e, f, g, _ROUND[i + 1], words[i + 1])
        c = np.uint32(c + t)
        g = np.uint32(t + _second(h, a, b))
        t = _temporary(c, d, e, f, _ROUND[i + 2], words[i + 2])
        b = np.uint32(b + t)
        f = np.uint32(t + _second(g, h, a))
        t = _temporary(b, c, d, e, _ROUND[i + 3], words[i + 3])
        a = np.uint32(a + t)
        e = np.uint32(t + _second(f, g, h))
        t = _temporary(a, b, c, d, _ROUND[i + 4], words[i + 4])
        h = np.uint32(h + t)
        d = np.uint32(t + _second(e, f, g))
        t = _temporary(h, a, b, c, _ROUND[i + 5], words[i + 5])
        g = np.uint32(g + t)
        c = np.uint32(t + _second(d, e, f))
        t = _temporary(g, h, a, b, _ROUND[i + 6], words[i + 6])
        f = np.uint32(f + t)
        b = np.uint32(t + _second(c, d, e))
        t = _temporary(f, g, h, a, _ROUND[i + 7], words[i + 7])
        e = np.uint32(e + t)
        a = np.uint32(t + _second(b, c, d))
    state[0] = np.uint32(state[0] + a)
    state[1] = np.uint32(state[1] + b)
    state[2] = np.uint32(state[2] + c)
    state[3] = np.uint32(state[3] + d)
    state[4] = np.uint32(state[4] + e)
    state[5] = np.uint32(state[5] + f)
    state[6] = np.uint32(state[6] + g)
    state[7] = np.uint32(state[7] + h)


@kernel()
def _finish(state: U32, data: U8, start: int, end: int, words: U32) -> None:
    """Mix a message into `state`, and its padding; one block, the key's, went before."""
    at = start
    while at + 64 <= end:
        for i in range(16):
            words[i] = _swapped(load_u32(data, at + 4 * i))
        _compress(state, words)
        at += 64
    filled = (end - at) >> 2
    for i in range(filled):
        words[i] = _swapped(load_u32(data, at + 4 * i))
    # The bytes that fill no word, the mark after the last of them, zeros, and the length in bits in the last two words.
    word = np.uint32(0)
    mark = np.uint32(0x80000000)
    for i in range(at + 4 * filled, end):
        word = np.uint32(word | (np.uint32(data[i]) << np.uint32(24 - 8 * (i - at - 4 * filled))))
        mark = np.uint32(mark >> np.uint32(8))
    words[filled] = np.uint32(word | mark)
    if filled >= 14:
        for i in range(filled + 1, 16):
            words[i] = 0
        _compress(state, words)
        filled = -1
    for i in range(filled + 1, 14):
        words[i] = 0
    n_bits = 8 * (64 + end - start)
    words[14] = np.uint32(n_bits >> 32)
    words[15] = np.uint32(n_bits)
    _compress(state, words)


@kernel(types.void(U32_IN, U32_IN, I64_IN, U8_IN, U32_OUT))
def _hmac_into(inner: U32, outer: U32, offsets: I64, text: U8, out: U32) -> None:
    state, words = np.empty(8, dtype=np.uint32), np.empty(64, dtype=np.uint32)
    for row in range(offsets.size - 1):
        for i in range(8):
            state[i] = inner[i]
        _finish(state, text, offsets[row], offsets[row + 1], words)
        # The outer message is the inner hash: 8 words, the mark, and the length of 64 + 32 bytes.
        for i in range(8):
            words[i] = state[i]
            state[i] = outer[i]
        words[8] = np.uint32(0x80000000)
        for i in range(9, 15):
            words[i] = 0
        words[15] = np.uint32(8 * (64 + 32))
        _compress(state, words)
        for i in range(4):
            out[4 * row + i] = _swapped(state[i])


@kernel(types.void(U8_IN, U32_OUT))
def _mix_block(block: U8, state: U32) -> None:
    words = np.empty(64, dtype=np.uint32)
    for i in range(16):
        words[i] = _swapped(load_u32(block, 4 * i))
    _compress(state, words)


def hmac_states(key: bytes) -> tuple[U32, U32]:
    """The two states of SHA-256 after the key's block, which every text starts from.

    Parameters
    ----------
    key : bytes
        Of any length; above 64 bytes its SHA-256 stands for it (RFC 2104, section 2).

    Returns
    -------
    inner, outer : ndarray of uint32, shape (8,)
    """
    short = hashlib.sha256(key).digest() if len(key) > _BLOCK else key
    block = np.frombuffer(short.ljust(_BLOCK, b"\0"), dtype=np.uint8)
    inner, outer = _INITIAL.copy(), _INITIAL.copy()
    _mix_block(block ^ np.uint8(0x36), inner)
    _mix_block(block ^ np.uint8(0x5C), outer)
    return inner, outer


def hmac_many(inner: U32, outer: U32, offsets: I64, text: U8) -> U8:
    """The first 16 bytes of HMAC-SHA-256 of each text, in the calling thread, without the interpreter's lock.

    Parameters
    ----------
    inner, outer : ndarray of uint32, shape (8,)
        From `hmac_states`.
    offsets : ndarray of int64, shape (n + 1,)
        Where each text begins in `text`, and the end of the last.
    text : ndarray of uint8, shape (n_bytes,)

    Returns
    -------
    ndarray of uint8, shape (n, 16)

    Examples
    --------
    RFC 4231, test case 2:

    >>> texts = np.frombuffer(b"what do ya want for nothing?", dtype=np.uint8)
    >>> hmac_many(*hmac_states(b"Jefe"), np.array([0, 28]), texts).tobytes().hex()
    '5bdcc146bf60754e6a042426089575c7'
    """
    out = np.empty((len(offsets) - 1, HASH_BYTES), dtype=np.uint8)
    _hmac_into(inner, outer, offsets, text, out.reshape(-1).view(np.uint32))
    return out
