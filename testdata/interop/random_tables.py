"""Tables of random columns, of every type that Arrow and Parquet may disagree about. The same seed gives the same table."""
import decimal
import random

import pyarrow as pa

DIGITS = {pa.decimal32: 9, pa.decimal64: 18, pa.decimal128: 38, pa.decimal256: 76}


def leaf(r):
    """A type without children."""
    kinds = [pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
             pa.float16(), pa.float32(), pa.float64(), pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
             pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(r.randint(1, 20)), pa.null()]
    kinds += [f(u) for f in (pa.timestamp, pa.duration) for u in ("s", "ms", "us", "ns")]
    kinds += [pa.timestamp(u, zone) for u in ("s", "us") for zone in ("UTC", "Europe/Berlin", "+02:00")]
    for f, most in DIGITS.items():
        p = r.randint(1, most)
        kinds.append(f(p, r.randint(0, p)))
    return r.choice(kinds)


def some_type(r, depth=0):
    if depth >= 3 or r.random() < 0.6:
        return leaf(r)
    inner = lambda: some_type(r, depth + 1)
    kind = r.choice(["list", "large_list", "fixed", "list_view", "large_list_view", "struct", "map", "dictionary", "runs", "union", "interval"])
    if kind == "list":
        return pa.list_(inner())
    if kind == "large_list":
        return pa.large_list(inner())
    if kind == "fixed":
        return pa.list_(inner(), r.randint(1, 3))
    if kind == "list_view":
        return pa.list_view(inner())
    if kind == "large_list_view":
        return pa.large_list_view(inner())
    if kind == "struct":
        return pa.struct([pa.field(f"f{i}", inner()) for i in range(r.randint(1, 3))])
    if kind == "map":
        return pa.map_(pa.string(), inner())
    if kind == "dictionary":
        values = r.choice([pa.string(), pa.string(), pa.large_string(), pa.int32(), pa.int64(), pa.float64(), pa.binary(), pa.date32(), pa.timestamp("us"), pa.decimal128(10, 2)])
        return pa.dictionary(r.choice([pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.int64()]), values, ordered=r.random() < 0.2)
    if kind == "runs" and depth == 0:
        return pa.run_end_encoded(r.choice([pa.int16(), pa.int32(), pa.int64()]), r.choice([pa.string(), pa.int32(), pa.float64(), pa.bool_()]))
    if kind == "interval" and r.random() < 0.15:
        return pa.month_day_nano_interval()
    if kind == "union" and r.random() < 0.15:
        return pa.sparse_union([pa.field("a", pa.int32()), pa.field("b", pa.string())])
    return leaf(r)


def value(r, t):
    """A value that pa.array takes for a type."""
    w = lambda bits: r.getrandbits(bits)
    if pa.types.is_null(t):
        return None
    if pa.types.is_boolean(t):
        return r.random() < 0.5
    if pa.types.is_unsigned_integer(t):
        return w(t.bit_width)
    if pa.types.is_signed_integer(t):
        return w(t.bit_width) - (1 << (t.bit_width - 1))
    if pa.types.is_floating(t):
        return r.choice([0.5, -1.25, 3.0, float("inf"), -0.0, 1000.0])
    if pa.types.is_decimal(t):
        return decimal.Decimal((r.randint(0, 1), tuple(int(d) for d in str(r.randrange(10 ** min(t.precision, 30)))), -t.scale))
    if pa.types.is_date32(t):
        return r.randint(-20000, 40000)
    if pa.types.is_date64(t):
        return r.randint(-20000, 40000) * 86_400_000
    if pa.types.is_time(t):
        return r.randrange(86400) * {"s": 1, "ms": 1000, "us": 10 ** 6, "ns": 10 ** 9}[t.unit]
    if pa.types.is_timestamp(t) or pa.types.is_duration(t):
        return r.randint(-(1 << 40), 1 << 40) if t.unit != "s" else r.randint(-(1 << 31), 1 << 31)
    if pa.types.is_fixed_size_binary(t):
        return w(8 * t.byte_width).to_bytes(t.byte_width, "big")
    if pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t):
        return "".join(r.choice("abcµ€ x") for _ in range(r.choice([0, 1, 5, 30])))
    return bytes(r.getrandbits(8) for _ in range(r.choice([0, 1, 5, 30])))


def array(r, t, n, nulls):
    """n values of a type, some of them null."""
    missing = [nulls and r.random() < 0.3 for _ in range(n)]
    mask = lambda: pa.array(missing, pa.bool_()) if any(missing) else None
    if pa.types.is_run_end_encoded(t):
        values = array(r, t.value_type, (n + 2) // 3, nulls)
        ends = pa.array([min(n, 3 * (i + 1)) for i in range(len(values))], t.run_end_type)
        return pa.RunEndEncodedArray.from_arrays(ends, values)
    if pa.types.is_dictionary(t):
        words = array(r, t.value_type, 6, nulls and r.random() < 0.3).to_pylist()
        unique = pa.array(list(dict.fromkeys(words)), t.value_type)
        indices = pa.array([None if m else r.randrange(len(unique)) for m in missing], t.index_type)
        return pa.DictionaryArray.from_arrays(indices, unique, ordered=t.ordered)
    if pa.types.is_union(t):
        return pa.UnionArray.from_sparse(pa.array([i % 2 for i in range(n)], pa.int8()), [array(r, t.field(0).type, n, nulls), array(r, t.field(1).type, n, nulls)], ["a", "b"])
    if pa.types.is_interval(t):
        return pa.array([None if m else (r.randint(0, 9), r.randint(0, 9), r.randint(0, 9)) for m in missing], t)
    if pa.types.is_struct(t):
        return pa.StructArray.from_arrays([array(r, t.field(i).type, n, nulls) for i in range(t.num_fields)], fields=[t.field(i) for i in range(t.num_fields)], mask=mask())
    if pa.types.is_fixed_size_list(t):
        return pa.FixedSizeListArray.from_arrays(array(r, t.value_type, n * t.list_size, nulls), type=t, mask=mask())
    if pa.types.is_map(t) or pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_list_view(t) or pa.types.is_large_list_view(t):
        sizes = [0 if m else r.randint(0, 3) for m in missing]
        ends = [sum(sizes[:i]) for i in range(n + 1)]
        total = ends[-1]
        if pa.types.is_map(t):
            keys = pa.array([f"k{i}" for i in range(total)], pa.string())
            return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), keys, array(r, t.item_type, total, nulls), type=t)
        wide = pa.int64() if pa.types.is_large_list(t) or pa.types.is_large_list_view(t) else pa.int32()
        values = array(r, t.value_type, total, nulls)
        if pa.types.is_list_view(t) or pa.types.is_large_list_view(t):
            kind = pa.ListViewArray if pa.types.is_list_view(t) else pa.LargeListViewArray
            return kind.from_arrays(pa.array(ends[:-1], wide), pa.array(sizes, wide), values, type=t, mask=mask())
        kind = pa.ListArray if pa.types.is_list(t) else pa.LargeListArray
        return kind.from_arrays(pa.array(ends, wide), values, type=t, mask=mask())
    if pa.types.is_float16(t):
        import numpy as np
        return pa.array([None if m else np.float16(value(r, t)) for m in missing], t)
    values = [None if m else value(r, t) for m in missing]
    return pa.array(values, t)


def table(seed):
    """A table of one to six columns, and of a few rows in one or two batches."""
    r = random.Random(seed)
    n = r.choice([0, 1, 7, 40])
    columns = []
    for i in range(r.randint(1, 6)):
        t = some_type(r)
        columns.append((f"c{i}", array(r, t, n, r.random() < 0.7)))
    return pa.table([c for _, c in columns], names=[name for name, _ in columns])
