"""The tables that the Python writers write: small, every Arrow type, fixed values."""

import datetime
import decimal

import pyarrow as pa

D = decimal.Decimal
UTC = datetime.timezone.utc


def ints(kind, lo, hi):
    return pa.array([lo, None, 0, hi, 7, 1], kind)


def numbers():
    """All types of fixed width but those that hold time."""
    columns = {}
    for bits in (8, 16, 32, 64):
        columns[f"int{bits}"] = ints(f"int{bits}", -(1 << bits - 1), (1 << bits - 1) - 1)
        columns[f"uint{bits}"] = ints(f"uint{bits}", 0, (1 << bits) - 1)
    columns["half"] = pa.array([0.5, None, -2.0, float("inf"), 65504.0, float("nan")], pa.float16())
    columns["single"] = pa.array([0.1, None, -1e30, float("-inf"), 3.0, float("nan")], pa.float32())
    columns["double"] = pa.array([0.1, None, -1e300, float("-inf"), 1e-7, float("nan")], pa.float64())
    columns["truth"] = pa.array([True, None, False, True, True, False])
    columns["truth without nulls"] = pa.array([True, False, False, True, True, False])
    for bits, digits in ((32, 9), (64, 18), (128, 38), (256, 76)):
        kind = {32: pa.decimal32, 64: pa.decimal64, 128: pa.decimal128, 256: pa.decimal256}[bits](digits, 3)
        with decimal.localcontext(prec=100):
            big = D(10**digits - 1).scaleb(-3)
            columns[f"decimal{bits}"] = pa.array([D("1.500"), None, -big, big, D("-0.001"), D("0.000")], kind)
    columns["decimal of scale -2"] = pa.array([D("100"), None, D("-12300"), D("0"), D("700"), D("4500")], pa.decimal128(10, -2))
    columns["five bytes"] = pa.array([b"\0\1\2\3\4", None, b"abcde", b"\xff" * 5, b"     ", b"zzzzz"], pa.binary(5))
    return columns


def times():
    columns = {
        "day": pa.array([0, None, -1, 20000, 11016, -719162], pa.date32()),
        "day in ms": pa.array([0, None, -86400000, 1728000000000, 951782400000, 86400000], pa.date64()),
        "time in s": pa.array([0, None, 86399, 3661, 1, 60], pa.time32("s")),
        "time in ms": pa.array([0, None, 86399999, 3661001, 1, 60000], pa.time32("ms")),
        "time in us": pa.array([0, None, 86399999999, 3661000001, 1, 60], pa.time64("us")),
        "time in ns": pa.array([0, None, 86399999999999, 3661000000001, 1, 60], pa.time64("ns")),
        "month day nano": pa.array([(1, 2, 3), None, (-1, -2, -3000000000), (0, 0, 0), (14, 0, 0), (0, 0, 1500000000)], pa.month_day_nano_interval()),
    }
    for unit in ("s", "ms", "us", "ns"):
        values = [0, None, -1, 1700000000, 12345678901, 1]
        columns[f"timestamp in {unit}"] = pa.array(values, pa.timestamp(unit))
        columns[f"timestamp in {unit}, UTC"] = pa.array(values, pa.timestamp(unit, "UTC"))
        columns[f"duration in {unit}"] = pa.array(values, pa.duration(unit))
    columns["timestamp in Lisbon"] = pa.array([0, None, -1, 1700000000, 5, 6], pa.timestamp("s", "Europe/Lisbon"))
    return columns


WORDS = ["short", None, "", "a text of more than twelve bytes", "µV and 日本", "another text of more than twelve bytes"]
BYTES = [b"\0\1", None, b"", b"more than twelve bytes of it", b"\xff\xfe", b"0123456789abc"]


def texts():
    columns = {}
    for name, kind in (("text", pa.string()), ("large text", pa.large_string()), ("text view", pa.string_view())):
        columns[name] = pa.array(WORDS, kind)
    for name, kind in (("binary", pa.binary()), ("large binary", pa.large_binary()), ("binary view", pa.binary_view())):
        columns[name] = pa.array(BYTES, kind)
    columns["text without nulls"] = pa.array(["a", "b", "c", "d", "e", "f"])
    columns["nothing but nulls"] = pa.nulls(6, pa.string())
    columns["null"] = pa.nulls(6)
    return columns


def nested():
    lists = [[1, 2], None, [], [None], [3], [4, 5, 6]]
    structs = [{"a": 1, "b": "x"}, None, {"a": None, "b": None}, {"a": 4, "b": ""}, {"a": 5, "b": "y"}, {"a": 6, "b": "z"}]
    columns = {
        "list": pa.array(lists, pa.list_(pa.int16())),
        "large list": pa.array(lists, pa.large_list(pa.int16())),
        "list view": pa.array(lists, pa.list_view(pa.int16())),
        "large list view": pa.array(lists, pa.large_list_view(pa.int16())),
        "three": pa.array([[1, 2, 3], None, [None, 5, 6], [7, 8, 9], [0, 0, 0], [1, 1, 1]], pa.list_(pa.uint8(), 3)),
        "struct": pa.array(structs, pa.struct([("a", pa.int8()), ("b", pa.string())])),
        "map": pa.array([[("k", 1), ("l", None)], None, [], [("m", 2)], [("n", 3)], [("o", 4), ("p", 5)]], pa.map_(pa.string(), pa.int32())),
        "list of lists": pa.array([[["a"], None, []], None, [], [["b", None]], [[]], [["c", "d"], ["e"]]], pa.list_(pa.list_(pa.string()))),
        "list of structs": pa.array([[structs[0], None], None, [], [structs[3]], [structs[2]], []], pa.list_(pa.struct([("a", pa.int8()), ("b", pa.string())]))),
        "struct of lists": pa.array([{"l": [1], "t": True}, {"l": None, "t": None}, None, {"l": [], "t": False}, {"l": [2, None], "t": True}, {"l": [3], "t": None}], pa.struct([("l", pa.list_(pa.float64())), ("t", pa.bool_())])),
        "list of truths": pa.array([[True, None], None, [], [False], [True], [False, False]], pa.list_(pa.bool_())),
        "empty struct": pa.array([{}, None, {}, {}, {}, {}], pa.struct([])),
        "list view out of order": pa.ListViewArray.from_arrays(pa.array([4, 0, 2, 0, 1, 5]), pa.array([2, 3, 0, 6, 1, 1]), pa.array([10, 11, 12, 13, 14, 15], pa.int8())),
    }
    return columns


def unions():
    kinds = pa.array([3, 5, 3, 5, 5, 3], pa.int8())
    numbers = pa.array([7, 0, None, 0, 0, -9], pa.int32())
    words = pa.array(["", "u", "", None, "v", ""], pa.string())
    return {
        "sparse": pa.UnionArray.from_sparse(kinds, [numbers, words], ["i", "s"], [3, 5]),
        "dense": pa.UnionArray.from_dense(kinds, pa.array([0, 0, 1, 1, 2, 2], pa.int32()), [pa.array([7, None, -9], pa.int32()), pa.array(["u", None, "v"])], ["i", "s"], [3, 5]),
    }


def dictionaries():
    columns = {}
    for bits in (8, 16, 32, 64):
        for sign in ("", "u"):
            index = pa.array([2, None, 0, 1, 1, 0], f"{sign}int{bits}")
            columns[f"index {sign}int{bits}"] = pa.DictionaryArray.from_arrays(index, pa.array(["alpha", "beta", "gamma"]))
    index = pa.array([2, None, 0, 1, 1, 0], pa.int32())
    columns["ordered"] = pa.DictionaryArray.from_arrays(index, pa.array(["low", "mid", "high"]), ordered=True)
    columns["of numbers"] = pa.DictionaryArray.from_arrays(index, pa.array([1.5, -2.5, 3.5]))
    columns["with a null among its values"] = pa.DictionaryArray.from_arrays(index, pa.array(["a", None, "c"]))
    columns["of lists"] = pa.DictionaryArray.from_arrays(index, pa.array([[1], [2, 3], []], pa.list_(pa.int8())))
    inner = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1, 0, 1, None], pa.int8()), pa.array(["in", "out"]))
    columns["in a list"] = pa.ListArray.from_arrays(pa.array([0, 2, 2, 3, 5, 6, 7], pa.int32()), inner)
    columns["in a struct"] = pa.StructArray.from_arrays([inner[:6]], ["d"])
    return columns


def runs():
    columns = {}
    for bits in (16, 32, 64):
        ends = pa.array([2, 3, 6], f"int{bits}")
        columns[f"run ends int{bits}"] = pa.RunEndEncodedArray.from_arrays(ends, pa.array([5, None, 6], pa.uint16()))
    ends = pa.array([1, 2, 6], pa.int32())
    columns["runs of text"] = pa.RunEndEncodedArray.from_arrays(ends, pa.array(["x", None, "y"]))
    columns["runs of truth"] = pa.RunEndEncodedArray.from_arrays(ends, pa.array([True, False, None]))
    columns["runs of floats"] = pa.RunEndEncodedArray.from_arrays(ends, pa.array([0.5, 1.5, -2.5], pa.float32()))
    return columns


def extensions():
    tensor = pa.fixed_shape_tensor(pa.int16(), (2, 2))
    return {
        "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes([i]) * 16 if i != 1 else None for i in range(6)], pa.binary(16))),
        "json": pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(['{"a": 1}', None, "[]", "1", '"x"', "null"])),
        "bool8": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None, 0, 1, 0, 2], pa.int8())),
        "tensor": pa.ExtensionArray.from_storage(tensor, pa.array([[i, i, i, i] if i != 1 else None for i in range(6)], tensor.storage_type)),
        "opaque": pa.ExtensionArray.from_storage(pa.opaque(pa.int32(), "kind", "vendor"), ints(pa.int32(), -5, 5)),
    }


def recording(start, rows):
    """A table as a device makes it: two channels, a word, a truth, a clock."""
    n = range(start, start + rows)
    return pa.record_batch(
        {
            "Ch0": pa.array([(i * 37) % 1024 for i in n], pa.uint16()),
            "Ch1": pa.array([None if i % 5 == 4 else (i * i) % 4096 - 2048 for i in n], pa.int16()),
            "Label": pa.array([None if i % 7 == 3 else f"row {i}" for i in n]),
            "On": pa.array([i % 3 == 0 for i in n]),
            "Clock": pa.array([1000 + 250 * i for i in n], pa.uint64()),
        },
        schema=pa.schema(
            [
                pa.field("Ch0", pa.uint16(), nullable=False, metadata={"unit": "uV", "scale": "0.195"}),
                pa.field("Ch1", pa.int16()),
                pa.field("Label", pa.string()),
                pa.field("On", pa.bool_(), nullable=False),
                pa.field("Clock", pa.uint64(), nullable=False),
            ],
            metadata={"writer": "pyarrow", "note": "µV, two batches or more"},
        ),
    )


TABLES = {
    "numbers": numbers, "times": times, "texts": texts, "nested": nested, "unions": unions,
    "dictionaries": dictionaries, "runs": runs, "extensions": extensions,
}
