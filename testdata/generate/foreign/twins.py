"""Writes NAME.json beside each NAME.arrow of the folders given: what any reader
must report of it. pyarrow reads it; where it cannot, twins.js does.

python twins.py FOLDER...
"""

import datetime
import decimal
import json
import pathlib
import sys

import numpy
import pyarrow as pa
from pyarrow import ipc
from pyarrow import types as is_type

EPOCH = datetime.date(1970, 1, 1)
DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
NAMES = {"halffloat": "float16", "float": "float32", "double": "float64", "string": "utf8", "large_string": "large_utf8", "string_view": "utf8_view", "date32[day]": "date32", "date64[ms]": "date64"}


def type_name(t):
    """Names a type as the documentation of Arrow does, with its children."""
    if isinstance(t, pa.BaseExtensionType):
        return type_name(t.storage_type)
    if is_type.is_dictionary(t):
        return f"dictionary<{type_name(t.index_type)}, {type_name(t.value_type)}>"
    if is_type.is_run_end_encoded(t):
        return f"run_end_encoded<{type_name(t.run_end_type)}, {type_name(t.value_type)}>"
    if is_type.is_map(t):
        return f"map<struct<{t.key_field.name}: {type_name(t.key_type)}, {t.item_field.name}: {type_name(t.item_type)}>>"
    if is_type.is_struct(t):
        return "struct" + members(t)
    if is_type.is_union(t):
        return f"{t.mode}_union" + members(t)
    for name, test in (("list", is_type.is_list), ("large_list", is_type.is_large_list), ("list_view", is_type.is_list_view), ("large_list_view", is_type.is_large_list_view)):
        if test(t):
            return f"{name}<{type_name(t.value_type)}>"
    if is_type.is_fixed_size_list(t):
        return f"fixed_size_list[{t.list_size}]<{type_name(t.value_type)}>"
    if is_type.is_fixed_size_binary(t):
        return f"fixed_size_binary[{t.byte_width}]"
    if is_type.is_timestamp(t) and t.tz:
        return f"timestamp[{t.unit}, {t.tz}]"
    return NAMES.get(str(t), str(t))


def members(t):
    if t.num_fields == 0:
        return ""
    return "<" + ", ".join(f"{t.field(i).name}: {type_name(t.field(i).type)}" for i in range(t.num_fields)) + ">"


def scaled(n, digits):
    """n / 10^digits with all its digits."""
    if digits <= 0:
        return str(n * 10**-digits)
    text = str(abs(n)).rjust(digits + 1, "0")
    return ("-" if n < 0 else "") + text[:-digits] + "." + text[-digits:]


def clock(n, digits):
    seconds, rest = divmod(n, 10**digits)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return text + (f".{rest:0{digits}}" if digits else "")


def moment(n, digits, zone):
    days, rest = divmod(n, 86400 * 10**digits)
    try:
        return f"{(EPOCH + datetime.timedelta(days)).isoformat()}T{clock(rest, digits)}" + ("Z" if zone else "")
    except OverflowError:
        return scaled(n, digits) + "s"


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def raw(a, i, kind):
    return a.slice(i, 1).view(kind)[0].as_py()


def text(a, i, inside=False):
    """Row i of a, as text; None for a null, which is null inside of others."""
    value = value_text(a, i, inside)
    return "null" if value is None and inside else value


def value_text(a, i, inside):
    t = a.type
    if isinstance(t, pa.BaseExtensionType):
        return value_text(a.storage, i, inside)
    if is_type.is_union(t):
        child = t.type_codes.index(a.type_codes[i].as_py())
        return value_text(a.field(child), a.offsets[i].as_py() if t.mode == "dense" else i, inside)
    if is_type.is_run_end_encoded(t):
        for run, end in enumerate(a.run_ends.to_pylist()):
            if i + a.offset < end:
                return value_text(a.values, run, inside)
    if not a.is_valid()[i].as_py():
        return None
    if is_type.is_dictionary(t):
        return value_text(a.dictionary, a.indices[i].as_py(), inside)
    if is_type.is_map(t):
        pairs = a[i].values
        keys, items = pairs.field(0), pairs.field(1)
        return "{" + ", ".join(f"{text(keys, k, True)}: {text(items, k, True)}" for k in range(len(pairs))) + "}"
    if is_type.is_struct(t):
        return "{" + ", ".join(f"{t.field(k).name}: {text(a.field(k), i, True)}" for k in range(t.num_fields)) + "}"
    if is_type.is_nested(t):  # a list of some kind
        values = a[i].values
        return "[" + ", ".join(text(values, k, True) for k in range(len(values))) + "]"
    if is_type.is_string(t) or is_type.is_large_string(t) or is_type.is_string_view(t):
        return quoted(a[i].as_py()) if inside else a[i].as_py()
    if is_type.is_binary(t) or is_type.is_large_binary(t) or is_type.is_binary_view(t) or is_type.is_fixed_size_binary(t):
        return a[i].as_py().hex()
    if is_type.is_boolean(t):
        return "true" if a[i].as_py() else "false"
    if is_type.is_integer(t):
        return str(a[i].as_py())
    if is_type.is_floating(t):
        return float_text(a[i].as_py(), t)
    if is_type.is_decimal(t):
        return format(a[i].as_py(), "f")
    if is_type.is_date32(t):
        return moment(raw(a, i, pa.int32()) * 86400, 0, False)[:10]
    if is_type.is_date64(t):
        return moment(raw(a, i, pa.int64()) // 1000, 0, False)[:10]
    if is_type.is_time(t):
        return clock(raw(a, i, pa.int32() if t.bit_width == 32 else pa.int64()), DIGITS[t.unit])
    if is_type.is_timestamp(t):
        return moment(raw(a, i, pa.int64()), DIGITS[t.unit], t.tz)
    if is_type.is_duration(t):
        return scaled(raw(a, i, pa.int64()), DIGITS[t.unit]) + "s"
    if t == pa.month_day_nano_interval():
        return interval(*a[i].as_py())
    raise TypeError(f"no text for {t}")


def float_text(x, t):
    """The shortest decimal that gives the same bits; readers may differ in how
    they lay out an exponent."""
    text = repr(x)
    if (is_type.is_float32(t) or is_type.is_float16(t)) and x == x and abs(x) != float("inf"):
        text = str(numpy.float32(x))
    return text.removesuffix(".0")


def interval(months, days, nanoseconds):
    out = "P"
    if months:
        out += f"{months}M"
    if days or not months and not nanoseconds:
        out += f"{days}D"
    return out + (f"T{scaled(nanoseconds, 9)}S" if nanoseconds else "")


def codec_of(name):
    """The codecs, those of later batches behind _then_: no reader at hand tells, the name does."""
    return ", ".join(next((c for c in ("zstd", "lz4") if c in part), "none") for part in name.split("_then_"))


def metadata(m):
    return {k.decode(): v.decode() for k, v in (m or {}).items()}


def twin(path):
    data = path.read_bytes()
    is_file = data[:6] == b"ARROW1"
    out = {"reader": f"pyarrow {pa.__version__}", "format": "file" if is_file else "stream"}
    try:
        if is_file:
            reader = ipc.open_file(data)
            batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
        else:
            reader = ipc.open_stream(data)
            batches = list(reader)
    except Exception as e:
        raise SystemExit(f"{path}: {e}")
    schema = reader.schema
    out["compression"] = codec_of(path.stem) if batches else "none"
    out["batch_rows"] = [b.num_rows for b in batches]
    out["metadata"] = metadata(schema.metadata)
    out["columns"] = []
    for k, field in enumerate(schema):
        values = [text(b.column(k), i) for b in batches for i in range(b.num_rows)]
        column = {"name": field.name, "type": type_name(field.type), "nullable": field.nullable}
        if isinstance(field.type, pa.BaseExtensionType):
            column["extension"] = field.type.extension_name
        if field.metadata:
            column["metadata"] = metadata(field.metadata)
        out["columns"].append(column | {"values": values})
    return out


def dump(t):
    """JSON with a line for each column, so that a difference is seen."""
    columns = ",\n".join("  " + json.dumps(c, ensure_ascii=False) for c in t["columns"])
    head = json.dumps({k: v for k, v in t.items() if k != "columns"}, ensure_ascii=False, indent=1)
    return head[:-2] + ',\n "columns": [\n' + columns + "\n ]\n}\n"


def main(folders):
    for folder in map(pathlib.Path, folders):
        for path in sorted(folder.glob("*.arrow")):
            if path.stem.startswith("intervals"):
                continue  # of twins.mjs
            if path.stem.endswith("_big_endian"):
                # What a reader of little endian must say instead of values.
                path.with_suffix(".json").write_text('{"error": "big-endian"}\n')
                continue
            path.with_suffix(".json").write_text(dump(twin(path)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
