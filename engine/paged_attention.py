"""Attention of one new token a request to the pages of its cache, on a GPU, in kernels that a CUDA graph can hold.

Nothing of what is launched depends on how long the requests are: the kernels read the lengths and the tables of pages
where they run, and write the new keys and values into their page. The keys of a request are shared out in turns of
`CHUNK` tokens among `PARTS` programs, and a second kernel joins what these have found, so that a single long request
keeps the whole GPU busy ("Flash-Decoding", https://pytorch.org/blog/flash-decoding).

Needs Triton, which comes with torch's builds for GPUs, and a C compiler, which Triton calls. Knows nothing of
transformers.
"""

import torch
import triton
import triton.language as tl

CHUNK = 64
"""Tokens whose keys are in a program's registers at a time; a page has a multiple of it."""

PARTS = 16
"""Programs that share the keys of one head of one request."""

SMALLEST_SIDE = 16
"""Rows and columns of the smallest matrices that Triton multiplies."""

NOTHING = tl.constexpr(-1e30)
"""Stands for the score of a key that is not there. Of two infinities the difference would be no number."""


@triton.jit
def _attend_to_part(
    query, new_key, new_value, keys, values, offsets, table, partial, tops, sums,
    scale, query_row, query_head, key_row, key_head, value_row, value_head, table_row,
    key_heads: tl.constexpr, group: tl.constexpr, rows: tl.constexpr, size: tl.constexpr, width: tl.constexpr,
    page_tokens: tl.constexpr, chunk: tl.constexpr, parts: tl.constexpr,
):  # fmt: skip
    """Attend to the keys of one part; `tops` are the largest scores in it, `sums` of what they were subtracted from."""
    request, head, part = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    length = tl.load(offsets + request + 1) - tl.load(offsets + request)
    row, column, token = tl.arange(0, rows), tl.arange(0, width), tl.arange(0, chunk)
    in_size = column < size
    in_query = (row < group)[:, None] & in_size[None, :]
    asked = tl.load(
        query + request * query_row + (head * group + row)[:, None] * query_head + column[None, :], in_query, 0.0
    )
    own_key = tl.load(new_key + request * key_row + head * key_head + column, in_size, 0.0)
    own_value = tl.load(new_value + request * value_row + head * value_head + column, in_size, 0.0)
    top = tl.full([rows], NOTHING, tl.float32)
    total = tl.zeros([rows], tl.float32)
    found = tl.zeros([rows, width], tl.float32)
    for begin in range(part * chunk, length, parts * chunk):
        page = tl.load(table + request * table_row + begin // page_tokens).to(tl.int64)
        place = ((page * page_tokens + begin % page_tokens + token) * key_heads + head) * size
        held = ((begin + token) < length - 1)[:, None] & in_size[None, :]
        is_new = ((begin + token) == length - 1)[:, None]
        key = tl.load(keys + place[:, None] + column[None, :], held, 0.0)
        value = tl.load(values + place[:, None] + column[None, :], held, 0.0)
        key = tl.where(is_new, own_key[None, :], key)
        value = tl.where(is_new, own_value[None, :], value)
        tl.store(keys + place[:, None] + column[None, :], key, is_new & in_size[None, :])
        tl.store(values + place[:, None] + column[None, :], value, is_new & in_size[None, :])
        scores = tl.dot(asked, tl.trans(key)) * scale
        scores = tl.where(((begin + token) < length)[None, :], scores, NOTHING)
        new_top = tl.maximum(top, tl.max(scores, 1))
        weights = tl.exp(scores - new_top[:, None])
        shrunk = tl.exp(top - new_top)
        total = total * shrunk + tl.sum(weights, 1)
        found = found * shrunk[:, None] + tl.dot(weights.to(value.dtype), value)
        top = new_top
    place = ((request * key_heads + head) * group + row) * parts + part
    tl.store(tops + place, top, row < group)
    if part * chunk < length:
        tl.store(sums + place, total, row < group)
        tl.store(partial + place[:, None] * size + column[None, :], found, in_query)


@triton.jit
def _join_parts(
    partial, tops, sums, out, size: tl.constexpr, width: tl.constexpr, parts: tl.constexpr,
):  # fmt: skip
    place, part, column = tl.program_id(0), tl.arange(0, parts), tl.arange(0, width)
    top = tl.load(tops + place * parts + part)
    filled = top > NOTHING
    largest = tl.max(top, 0)
    weights = tl.where(filled, tl.exp(top - largest), 0.0)
    total = tl.sum(weights * tl.load(sums + place * parts + part, filled, 0.0), 0)
    found = tl.load(
        partial + (place * parts + part)[:, None] * size + column[None, :],
        filled[:, None] & (column < size)[None, :],
        0.0,
    )
    joined = tl.sum(found * weights[:, None], 0) / tl.where(total > 0, total, 1.0)
    tl.store(out + place * size + column, joined.to(out.dtype.element_ty), column < size)


def attend_pages(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    key_offsets: torch.Tensor,
    table: torch.Tensor,
    scaling: float | None = None,
) -> torch.Tensor:
    """Return the attention of each request's newest token to all of its own, as (1, requests, heads, size).

    `query` is (1, heads, requests, size), `key` and `value` (1, key heads, requests, size): of the newest tokens. Those
    before are in the pages of `keys` and `values`, (pages, tokens, key heads, size), where the newest are written. Row
    i of `table` (requests, pages of the longest context) are the pages of request i, and the difference of
    `key_offsets[i]` and the next is the number of its tokens with the newest; one without tokens reads and writes
    nothing.
    """
    _, heads, requests, size = query.shape
    _, page_tokens, key_heads, _ = keys.shape
    query, key, value = (states[0].transpose(0, 1) for states in (query, key, value))
    group = heads // key_heads
    constants = {"size": size, "width": max(SMALLEST_SIDE, triton.next_power_of_2(size)), "parts": PARTS}
    partial = query.new_empty(requests, heads, PARTS, size, dtype=torch.float32)
    tops, sums = query.new_empty(2, requests, heads, PARTS, dtype=torch.float32)
    _attend_to_part[requests, key_heads, PARTS](
        query, key, value, keys, values, key_offsets, table, partial, tops, sums,
        size**-0.5 if scaling is None else scaling,
        query.stride(0), query.stride(1), key.stride(0), key.stride(1), value.stride(0), value.stride(1),
        table.stride(0),
        key_heads=key_heads, group=group, rows=max(SMALLEST_SIDE, triton.next_power_of_2(group)),
        page_tokens=page_tokens, chunk=CHUNK,
        **constants,
    )  # fmt: skip
    out = query.new_empty(1, requests, heads, size)
    _join_parts[(requests * heads,)](partial, tops, sums, out, **constants)
    return out
