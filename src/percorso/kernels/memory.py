"""Reading words from anywhere in a byte array.

numba reads a word out of a byte array only byte by byte, with a check for negative indices each time;
that costs a hash of a UUID ten times what this does.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["load_u32", "load_u64"]


def _word_loader(width: Any) -> Any:
    def load(_typing_context: Any, data: Any, _at: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            place = cgutils.pointer_add(builder, array.data, arguments[1])
            pointer = builder.bitcast(place, context.get_value_type(width).as_pointer())
            return builder.load(pointer, align=1)

        return width(data, types.int64), code

    return intrinsic(load)


#: ``load_u64(data, at)``: the little-endian 64-bit word at byte `at`. The caller sees to it that it lies inside.
load_u64 = _word_loader(types.uint64)
#: ``load_u32(data, at)``: the little-endian 32-bit word at byte `at`.
load_u32 = _word_loader(types.uint32)
