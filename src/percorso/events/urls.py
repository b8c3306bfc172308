"""What a URL says of where a visit comes from: UTM parameters and the kind of click id."""

from __future__ import annotations

from urllib.parse import unquote_plus

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.event import CLICK_IDS
from percorso.kernels.texts import copy_slices, mark_percent
from percorso.kernels.url_params import find_parameters
from percorso.store.columns import string_buffers, whole

__all__ = ["UTM_COLUMNS", "with_url_origin"]

UTM_COLUMNS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")

_NAMES = pa.array([*UTM_COLUMNS, *CLICK_IDS])


def with_url_origin(table: pa.Table) -> pa.Table:
    """Fill UTM columns and `click_id` from `url` where the sender did not say them.

    A sender's own UTM columns count as a whole: where any of them has something, the URL's do not.

    Parameters
    ----------
    table : pyarrow.Table
        With columns ``url``, ``click_id`` and `UTM_COLUMNS`.

    Returns
    -------
    pyarrow.Table
    """
    urls = table.column("url")
    if urls.null_count == len(urls):
        return table
    found = _origin(whole(urls))
    silent = _says_nothing(table)
    for name in (*UTM_COLUMNS, "click_id"):
        given, new = table.column(name), found[name]
        if new.null_count == len(new):
            continue
        if name == "click_id":
            filled = new if given.null_count == len(given) else pc.coalesce(given, new)
        else:
            filled = new if silent is None else pc.if_else(silent, new, given)
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), filled)
    return table


def _says_nothing(table: pa.Table) -> pa.ChunkedArray | None:
    """The rows without UTM columns of the sender's; None: all of them."""
    given = [table.column(name) for name in UTM_COLUMNS if table.column(name).null_count < table.num_rows]
    if not given:
        return None
    silent = given[0].is_null()
    for column in given[1:]:
        silent = pc.and_(silent, column.is_null())
    return silent


def _origin(urls: pa.StringArray) -> dict[str, pa.Array]:
    """UTM columns and click id of each URL. A null URL has none: its cell is empty, or made so."""
    urls = urls.fill_null("") if urls.null_count else urls
    offsets, data = string_buffers(urls)
    name_offsets, names = string_buffers(_NAMES)
    starts = np.empty((len(UTM_COLUMNS), len(urls)), np.int32)
    ends = np.empty_like(starts)
    clicks = np.empty(len(urls), np.int8)
    find_parameters(offsets, data, name_offsets, names, len(UTM_COLUMNS), starts, ends, clicks)
    columns = {name: _values(data, starts[k], ends[k]) for k, name in enumerate(UTM_COLUMNS)}
    columns["click_id"] = _NAMES.take(pa.array(clicks, mask=clicks < 0))
    return columns


def _values(data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32]) -> pa.StringArray:
    """The slices as a text column with percent codes read; null where empty."""
    n = len(starts)
    missing = starts == ends
    if missing.all():
        return pa.nulls(n, pa.string())
    offsets = np.empty(n + 1, np.int32)
    out = np.empty(int((ends - starts).sum()), np.uint8)
    copy_slices(starts, ends, data, offsets, out)
    marks = np.empty(n, np.bool_)
    coded = mark_percent(offsets, out, marks)
    validity = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    texts = pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(out), validity)
    return _decoded(texts, marks) if coded else texts


def _decoded(texts: pa.StringArray, marks: npt.NDArray[np.bool_]) -> pa.StringArray:
    distinct = texts.filter(pa.array(marks)).dictionary_encode()
    decoded = pa.array([unquote_plus(text) or None for text in distinct.dictionary.to_pylist()], pa.string())
    return pc.replace_with_mask(texts, pa.array(marks), decoded.take(distinct.indices))
