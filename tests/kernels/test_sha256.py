"""The keyed hashes of many texts: against hashlib's HMAC (outside), and the published vectors."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.identity.keyed_hashes import keyed_hashes
from percorso.identity.placement import person_id
from percorso.kernels.arrays import I64, U8
from percorso.kernels.sha256 import hmac_many, hmac_states

KEYS = st.binary(max_size=150)
TEXTS = st.lists(st.binary(max_size=300), max_size=12)


def joined(texts: Sequence[bytes]) -> tuple[I64, U8]:
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return offsets, np.frombuffer(b"".join(texts), dtype=np.uint8)


def expected(key: bytes, texts: Sequence[bytes]) -> list[bytes]:
    return [hmac.new(key, text, hashlib.sha256).digest()[:16] for text in texts]


def hashed(key: bytes, texts: Sequence[bytes]) -> list[bytes]:
    return [row.tobytes() for row in hmac_many(*hmac_states(key), *joined(texts))]


@given(KEYS, TEXTS)
def test_hashes_are_the_standard_librarys(key: bytes, texts: list[bytes]) -> None:
    assert hashed(key, texts) == expected(key, texts)


@pytest.mark.parametrize("key", [b"", b"k", bytes(63), b"\xff" * 64, b"\x80" * 65, bytes(range(256))])
def test_every_length_of_text_is_padded_right(key: bytes) -> None:
    texts = [bytes((7 * length + at) % 256 for at in range(length)) for length in range(301)]
    assert hashed(key, texts) == expected(key, texts)


# RFC 4231, section 4: the first 16 bytes; test case 5 is cut to 128 bits there too. The sixth and seventh
# have keys longer than a block.
@pytest.mark.parametrize(
    ("key", "text", "digest"),
    [
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c7"),
        (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a7"),
        (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a"),
        (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f",
        ),
        (
            b"\xaa" * 131,
            b"This is a test using a larger than block-size key and a larger than block-size data."
            b" The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944",
        ),
    ],
)
def test_published_vectors(key: bytes, text: bytes, digest: str) -> None:
    assert [one.hex() for one in hashed(key, [text])] == [digest]


# FIPS 198-1's example values (NIST, "HMAC_SHA256.pdf"): keys of a block, shorter and longer.
@pytest.mark.parametrize(
    ("key_bytes", "text", "digest"),
    [
        (64, b"Sample message for keylen=blocklen", "8bb9a1db9806f20df7f77b82138c7914"),
        (32, b"Sample message for keylen<blocklen", "a28cf43130ee696a98f14a37678b56bc"),
        (100, b"Sample message for keylen=blocklen", "bdccb6c72ddeadb500ae768386cb38cc"),
    ],
)
def test_examples_of_the_standard(key_bytes: int, text: bytes, digest: str) -> None:
    assert [one.hex() for one in hashed(bytes(range(key_bytes)), [text])] == [digest]


def test_texts_may_begin_anywhere() -> None:
    """Slices of a larger text, as threads take them, and read-only memory."""
    texts = [b"a" * n for n in (0, 5, 64, 1)]
    offsets, text = joined([b"xyz", *texts])
    assert not text.flags.writeable
    assert [row.tobytes() for row in hmac_many(*hmac_states(b"k"), offsets[1:], text)] == expected(b"k", texts)
    assert hmac_many(*hmac_states(b"k"), offsets[:1], text).shape == (0, 16)


@given(KEYS, TEXTS)
def test_keyed_hashes_are_person_ids(secret: bytes, texts: list[bytes]) -> None:
    assert [row.tobytes() for row in keyed_hashes(secret, *joined(texts))] == [person_id(secret, t) for t in texts]


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads_change_nothing(threads: int) -> None:
    texts = [b"email\0\0p%d@example.it" % at for at in range(40_000)] + [bytes(200_000)]
    offsets, text = joined(texts)
    found = keyed_hashes(b"secret", offsets, text, threads=threads)
    assert found.tobytes() == b"".join(expected(b"secret", texts))
