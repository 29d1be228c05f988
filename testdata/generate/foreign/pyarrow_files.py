"""Writes testdata/foreign/pyarrow: python pyarrow_files.py FOLDER"""

import io
import pathlib
import sys

import columns
import pyarrow as pa
from pyarrow import ipc


def write(path, batches, stream=False, schema=None, **options):
    new = ipc.new_stream if stream else ipc.new_file
    out = io.BytesIO()
    with new(out, batches[0].schema if schema is None else schema, options=ipc.IpcWriteOptions(**options)) as w:
        for b in batches:
            w.write_batch(b)
    path.write_bytes(out.getvalue())


def messages(data):
    """Splits a stream into its messages: (metadata and prefix, body)."""
    at = 0
    for m in ipc.MessageReader.open_stream(data):
        size = len(m.serialize())
        yield data[at : at + size]
        at += size


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)

    # Every type, in file and stream, two batches, the second a slice with an
    # offset inside its bytes.
    for name, make in columns.TABLES.items():
        whole = pa.record_batch(make())
        batches = [whole, whole.slice(3, 2)]
        write(folder / f"{name}.arrow", batches)
        write(folder / f"{name}_stream_lz4.arrow", batches, stream=True, compression="lz4")
        write(folder / f"{name}_zstd.arrow", batches, compression="zstd")

    # One table in every framing and with every codec.
    table = [columns.recording(0, 40), columns.recording(40, 40), columns.recording(80, 9)]
    v4 = ipc.MetadataVersion.V4
    for form, stream in (("file", False), ("stream", True)):
        write(folder / f"{form}.arrow", table, stream)
        write(folder / f"{form}_v4.arrow", table, stream, metadata_version=v4)
        write(folder / f"{form}_0.14.arrow", table, stream, metadata_version=v4, use_legacy_format=True)
        for codec in ("zstd", "lz4"):
            write(folder / f"{form}_{codec}.arrow", table, stream, compression=codec)
        write(folder / f"{form}_no_batches.arrow", [], stream, schema=table[0].schema)
        write(folder / f"{form}_no_columns.arrow", [], stream, schema=pa.schema([]))
        write(folder / f"{form}_empty_batches.arrow", [table[0].slice(0, 0), table[0], table[0].slice(0, 0), table[1]], stream)
        # Their layout is another in V4: there all but nulls have validity bits.
        other = pa.record_batch(columns.unions() | columns.runs() | {"null": pa.nulls(6)})
        write(folder / f"{form}_v4_unions_and_runs.arrow", [other], stream, metadata_version=v4)

    # Dictionaries that grow and that are replaced between the batches. Only a
    # stream may replace them.
    def words(values, index):
        d = pa.DictionaryArray.from_arrays(pa.array(index, pa.int8()), pa.array(values))
        return pa.record_batch({"word": d, "n": pa.array(range(len(index)), pa.int32())})

    growing = [words(["a", "b"], [0, 1, None]), words(["a", "b", "c"], [2, 0]), words(["a", "b", "c", "d", "e"], [4, 3, 2])]
    write(folder / "dictionary_deltas_stream.arrow", growing, stream=True, emit_dictionary_deltas=True)
    write(folder / "dictionary_deltas_file.arrow", growing, emit_dictionary_deltas=True)
    write(folder / "dictionary_deltas_stream_zstd.arrow", growing, stream=True, emit_dictionary_deltas=True, compression="zstd")
    replaced = [words(["a", "b"], [0, 1, None]), words(["x", "y", "z"], [2, 0]), words(["a"], [0, 0, 0])]
    write(folder / "dictionary_replaced_stream.arrow", replaced, stream=True)

    # All three kinds of body behind one schema: messages of three streams.
    parts = []
    for codec in ("zstd", "lz4", None):
        out = io.BytesIO()
        with ipc.new_stream(out, table[0].schema, options=ipc.IpcWriteOptions(compression=codec)) as w:
            w.write_batch(table[len(parts)])
        parts.append(list(messages(out.getvalue())))
    end = b"\xff\xff\xff\xff\0\0\0\0"
    (folder / "stream_zstd_then_lz4_then_none.arrow").write_bytes(parts[0][0] + b"".join(p[1] for p in parts) + end)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
