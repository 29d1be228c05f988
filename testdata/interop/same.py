"""Compares two Arrow files with pyarrow: same.py WHOLE PART [start end [column ...]]

PART must hold exactly the rows start <= row < end of WHOLE (all that PART has,
from row 0, if not given), the named columns in this order (all if none), with the
same types, nulls, field and schema metadata. WHOLE may lack its footer. Exits 1 and says
where they differ.
"""

import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc


def batches_of(path):
    """Every batch that pyarrow can get out of a file, with or without a footer."""
    with pa.memory_map(path) as source:
        try:
            file = pa.ipc.open_file(source)
            return file.schema, [file.get_batch(i) for i in range(file.num_record_batches)]
        except pa.ArrowInvalid:
            pass
    source = pa.memory_map(path)
    source.seek(8)
    stream = pa.ipc.open_stream(source)
    batches = []
    try:
        while True:
            batches.append(stream.read_next_batch())
    except (StopIteration, pa.ArrowInvalid, OSError):
        return stream.schema, batches


def flat(column):
    """Run ends depend on where batches begin; what counts are the values of the rows."""
    chunks = [pc.run_end_decode(c) if pa.types.is_run_end_encoded(c.type) else c for c in column.chunks]
    kind = column.type.value_type if pa.types.is_run_end_encoded(column.type) else column.type
    return pa.chunked_array(chunks, type=kind)


def main(whole_path, part_path, start=None, end=None, *columns):
    schema, batches = batches_of(whole_path)
    whole = pa.Table.from_batches(batches, schema)
    with pa.memory_map(part_path) as source:
        part = pa.ipc.open_file(source).read_all()
    part.validate(full=True)
    start = int(start or 0)
    end = int(end) if end is not None else part.num_rows
    names = list(columns) or whole.column_names
    if part.column_names != names:
        sys.exit(f"columns {part.column_names}, want {names}")
    if part.num_rows != end - start:
        sys.exit(f"{part.num_rows} rows, want {end - start}")
    if (part.schema.metadata or {}) != (whole.schema.metadata or {}):
        sys.exit(f"schema metadata {part.schema.metadata}, want {whole.schema.metadata}")
    for name in part.column_names:
        if not part.schema.field(name).equals(whole.schema.field(name), check_metadata=True):
            sys.exit(f"{name}: {part.schema.field(name)}, want {whole.schema.field(name)}")
        got, want = flat(part[name]), flat(whole[name]).slice(start, end - start)
        if not got.equals(want):
            row = next(i for i in range(len(got)) if got[i].as_py() != want[i].as_py())
            sys.exit(f"{name} row {start + row}: {got[row]}, want {want[row]}")
    print(f"{part.num_rows} rows x {part.num_columns} columns are the same")


if __name__ == "__main__":
    main(*sys.argv[1:])
