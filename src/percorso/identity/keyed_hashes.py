"""Keyed hashes of many identifiers at once: what `person_id` gives for each, in all cores."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa

from percorso.engines.local import default_threads
from percorso.engines.ranges import in_parallel
from percorso.kernels.arrays import I64, U8
from percorso.kernels.sha256 import HASH_BYTES, hmac_many, hmac_states
from percorso.store.columns import string_buffers

__all__ = ["hashes_of_texts", "keyed_hashes"]

_TEXTS_A_THREAD = 4096  # about two milliseconds: fewer are not worth a thread


def keyed_hashes(secret: bytes, offsets: I64, text: U8, *, threads: int | None = None) -> U8:
    """HMAC-SHA-256, cut to 128 bits, of each text; row by row what :func:`percorso.identity.placement.person_id` gives.

    Parameters
    ----------
    secret : bytes
        The workspace's key.
    offsets : ndarray of int64, shape (n + 1,)
        Where each text begins in `text`, and the end of the last.
    text : ndarray of uint8, shape (n_bytes,)
        Identifiers, ``type\\0space\\0value`` in UTF-8 each, the value in its normal form.
    threads : int, optional
        Default: the cores this process may use. The answer does not depend on it.

    Returns
    -------
    ndarray of uint8, shape (n, 16)

    Examples
    --------
    >>> texts = np.frombuffer(b"user_id\\0shop\\0anna", dtype=np.uint8)
    >>> keyed_hashes(b"secret", np.array([0, len(texts)]), texts).tobytes().hex()
    'a5d02a6c5ae76acab8f21f13ea73cd98'
    """
    n = len(offsets) - 1
    inner, outer = hmac_states(secret)
    n_threads = max(1, min(default_threads() if threads is None else threads, n // _TEXTS_A_THREAD))
    if n_threads == 1:
        return hmac_many(inner, outer, offsets, text)
    # Equal bytes, not equal numbers of texts: long ones take longer.
    cuts = np.searchsorted(offsets, offsets[0] + (offsets[-1] - offsets[0]) * np.arange(1, n_threads) // n_threads)
    runs = list(pairwise([0, *cuts.tolist(), n]))
    parts = in_parallel(runs, lambda run: hmac_many(inner, outer, offsets[run[0] : run[1] + 1], text))
    return np.concatenate([np.empty((0, HASH_BYTES), dtype=np.uint8), *parts])


def hashes_of_texts(secret: bytes, texts: pa.StringArray | pa.LargeStringArray) -> U8:
    """The keyed hash of each text of a column without nulls, uint8, shape (n, 16)."""
    offsets, data = string_buffers(texts)
    return keyed_hashes(secret, offsets.astype(np.int64), np.ascontiguousarray(data))
