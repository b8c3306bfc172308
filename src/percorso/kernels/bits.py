"""Operations on bits that numba does not offer."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["floor_log2"]


def _floor_log2(_typing_context: Any, _value: Any) -> Any:
    def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        zeros = builder.ctlz(arguments[0], cgutils.true_bit)
        return builder.sub(context.get_constant(types.int64, 63), zeros)

    return types.int64(types.int64), code


#: ``floor_log2(value)``: position of the highest bit of an int64; above 0, or the answer is undefined.
floor_log2 = intrinsic(_floor_log2)
