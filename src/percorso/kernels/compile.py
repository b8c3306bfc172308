"""The one decorator every kernel uses.

A kernel states its signatures, so that it is compiled when its module is imported, or loaded from the
cache, and never in the middle of an analysis. It releases the GIL, so that buckets run in threads.

Arrays in signatures are one of

========================  ======================================================================
``I64_IN``, ``U8_IN``...  input: contiguous; read-only arrays (memory maps, Arrow buffers) are fine
``I64_OUT``...            output or scratch: contiguous and writable
``U64_IN2``...            the same with two dimensions, C order
========================  ======================================================================
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.core import config
from numba.core.caching import UserProvidedCacheLocator

from percorso.kernels.cache import cache_folder, source_fingerprint

__all__ = [
    "BOOL_IN",
    "BOOL_OUT",
    "F64_IN",
    "F64_OUT",
    "I8_IN",
    "I8_OUT",
    "I16_IN",
    "I16_OUT",
    "I32_IN",
    "I32_IN2",
    "I32_OUT",
    "I64_IN",
    "I64_IN2",
    "I64_OUT",
    "I64_OUT2",
    "U8_IN",
    "U8_OUT",
    "U16_IN",
    "U16_OUT",
    "U32_IN",
    "U32_OUT",
    "U64_IN",
    "U64_IN2",
    "U64_OUT",
    "U64_OUT2",
    "array_in",
    "array_out",
    "kernel",
]

F = TypeVar("F", bound=Callable[..., Any])


def array_in(dtype: Any, dimensions: int = 1) -> Any:
    """The type of a contiguous input array; accepts read-only and writable ones."""
    return types.Array(dtype, dimensions, "C", readonly=True)


def array_out(dtype: Any, dimensions: int = 1) -> Any:
    """The type of a contiguous array that the kernel writes."""
    return types.Array(dtype, dimensions, "C")


BOOL_IN, BOOL_OUT = array_in(types.boolean), array_out(types.boolean)
I8_IN, I8_OUT = array_in(types.int8), array_out(types.int8)
I16_IN, I16_OUT = array_in(types.int16), array_out(types.int16)
I32_IN, I32_OUT = array_in(types.int32), array_out(types.int32)
I64_IN, I64_OUT = array_in(types.int64), array_out(types.int64)
U8_IN, U8_OUT = array_in(types.uint8), array_out(types.uint8)
U16_IN, U16_OUT = array_in(types.uint16), array_out(types.uint16)
U32_IN, U32_OUT = array_in(types.uint32), array_out(types.uint32)
U64_IN, U64_OUT = array_in(types.uint64), array_out(types.uint64)
F64_IN, F64_OUT = array_in(types.float64), array_out(types.float64)
I32_IN2 = array_in(types.int32, 2)
I64_IN2, I64_OUT2 = array_in(types.int64, 2), array_out(types.int64, 2)
U64_IN2, U64_OUT2 = array_in(types.uint64, 2), array_out(types.uint64, 2)


def kernel(*signatures: Any, **options: Any) -> Callable[[F], F]:
    """Compile a function for the given signatures, or load it from the cache.

    Parameters
    ----------
    *signatures
        numba signatures, such as ``types.int64(I64_IN, types.int64)`` or ``"int64(int64, int64)"``.
        None: a callee that is compiled with its callers (and cached with them).
    **options
        Further options of ``numba.njit``: ``inline="always"``, ``error_model="numpy"``, ...

    Examples
    --------
    Not run where examples are: what is cached must stand in a file.

    >>> from numba import types
    >>> @kernel(types.int64(I64_IN))  # doctest: +SKIP
    ... def total(values):
    ...     s = 0
    ...     for v in values:
    ...         s += v
    ...     return s
    """

    def decorate(function: F) -> F:
        if not signatures:
            return cast(F, numba.njit(nogil=True, **options)(function))
        before = config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES
        # Given back at once: how a user's own numba functions are cached is none of our business.
        config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = str(_folder_of(function)), _LOCATOR
        try:
            return cast(F, numba.njit(list(signatures), nogil=True, cache=True, **options)(function))
        finally:
            config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = before

    return decorate


class AnyPlaceLocator(UserProvidedCacheLocator):  # type: ignore[misc]  # numba's types are not followed
    """Finds a kernel in the cache by what its files say, wherever they are installed.

    numba's own takes the path of the installation into account: Spark unpacks an environment into another folder for
    each application, and each would compile all kernels again.
    """

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        return Path(py_file).parent.name


_LOCATOR = f"{AnyPlaceLocator.__module__}.{AnyPlaceLocator.__qualname__}"


def _folder_of(function: Callable[..., Any]) -> Path:
    return cache_folder() / source_fingerprint(Path(inspect.getfile(function)))
