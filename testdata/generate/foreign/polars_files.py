"""Writes testdata/foreign/polars: python polars_files.py FOLDER"""

import datetime
import decimal
import pathlib
import sys

import polars as pl

WORDS = ["short", None, "", "a text of more than twelve bytes", "µ"]
DAY = datetime.date(2000, 2, 29)
NOON = datetime.datetime(2000, 2, 29, 12, 0, 0, 5)


def frame():
    return pl.DataFrame(
        {
            "i8": pl.Series([-128, None, 0, 127, 7], dtype=pl.Int8),
            "u16": pl.Series([0, 1, 2, 65535, 4], dtype=pl.UInt16),
            "i64": pl.Series([-5, None, 0, 2**63 - 1, 7], dtype=pl.Int64),
            "u64": pl.Series([0, 250, 500, 750, 2**64 - 1], dtype=pl.UInt64),
            "f32": pl.Series([0.5, None, -2.25, 1.5, 0.0], dtype=pl.Float32),
            "f64": pl.Series([0.1, None, -1e300, 1e-7, 0.0], dtype=pl.Float64),
            "bool": [True, None, False, True, False],
            "null": pl.Series([None] * 5, dtype=pl.Null),
            "date": [datetime.date(1970, 1, 1), None, datetime.date(1969, 12, 31), DAY, DAY],
            "time": [datetime.time(0), None, datetime.time(23, 59, 59, 999999), datetime.time(1, 2, 3), datetime.time(12)],
            "datetime": pl.Series([NOON, None, NOON, NOON, NOON], dtype=pl.Datetime("us")),
            "datetime in ns, UTC": pl.Series([NOON, None, NOON, NOON, NOON], dtype=pl.Datetime("ns", "UTC")),
            "duration": pl.Series([datetime.timedelta(seconds=1.5), None, datetime.timedelta(-1), datetime.timedelta(0), datetime.timedelta(7)], dtype=pl.Duration("ms")),
            "decimal": pl.Series([decimal.Decimal("1.50"), None, decimal.Decimal("-1.50"), decimal.Decimal("99999.99"), decimal.Decimal("0.01")], dtype=pl.Decimal(20, 2)),
            "text": WORDS,
            "binary": [w.encode() if w is not None else None for w in WORDS],
            "list": pl.Series([[1, 2], None, [], [None], [3]], dtype=pl.List(pl.Int16)),
            "array": pl.Series([[1, 2], None, [3, 4], [None, 6], [7, 8]], dtype=pl.Array(pl.UInt8, 2)),
            "struct": pl.Series([{"a": 1, "b": "x"}, {"a": None, "b": None}, {"a": 3, "b": ""}, {"a": 4, "b": "y"}, {"a": 5, "b": "z"}], dtype=pl.Struct({"a": pl.Int8, "b": pl.String})),
            "list of structs": pl.Series([[{"a": 1}], None, [], [{"a": None}], [{"a": 2}, {"a": 3}]], dtype=pl.List(pl.Struct({"a": pl.Int32}))),
            "categorical": pl.Series(["x", None, "y", "x", "z"], dtype=pl.Categorical),
            "enum": pl.Series(["low", None, "high", "low", "low"], dtype=pl.Enum(["low", "high"])),
        }
    )


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    df = frame()
    for codec in ("uncompressed", "zstd", "lz4"):
        name = "" if codec == "uncompressed" else f"_{codec}"
        df.write_ipc(folder / f"types{name}.arrow", compression=codec)
        df.write_ipc_stream(folder / f"types_stream{name}.arrow", compression=codec)
    # For readers that know no views: text with offsets.
    df.write_ipc(folder / "types_without_views.arrow", compression="uncompressed", compat_level=pl.CompatLevel.oldest())
    pl.DataFrame(schema=df.schema).write_ipc(folder / "no_rows.arrow", compression="uncompressed")
    # A long recording is several batches.
    n = 400
    table = pl.DataFrame({"Ch0": pl.Series([i * 37 % 1024 for i in range(n)], dtype=pl.UInt16), "Clock": pl.Series([250 * i for i in range(n)], dtype=pl.UInt64)})
    table.write_ipc(folder / "batches_zstd.arrow", compression="zstd", record_batch_size=150)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
