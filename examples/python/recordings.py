"""What people do with a recording in Python, by pyarrow and NumPy alone.

A recording is an Arrow IPC file: one table of one device, a column for each
signal or channel, rows in the order of the acquisition clock. Everything here
works on the files of Oniscope and on those of Bonsai's DataFrameWriter, plain
and compressed.

Rows are counted from 0 over the whole file; ranges are half open, so that
start=0, end=10 are the rows 0 to 9.
"""

import csv
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

# Each value of a Neuropixels 1.0 local field potential belongs to 12 rows.
LFP_STRIDE = 12


def columns(path):
    """The names of all columns, in the order of the file."""
    with pa.memory_map(str(path)) as source:
        return ipc.open_file(source).schema.names


def batches(path, names=None):
    """Yields (row number of the first row, record batch) for the named columns.

    Of a plain file nothing is copied: the arrays lie in the memory map. Of a
    compressed one only the named columns are decompressed, and no more than
    one batch of them is in memory at a time.
    """
    with pa.memory_map(str(path)) as source:
        file = ipc.open_file(source)
        chosen = _in_file_order(path, file.schema, names)
        if names is not None and _is_compressed(path, file):
            # Of a plain file this would copy what a memory map has already.
            wanted = [file.schema.get_field_index(name) for name in chosen]
            file = ipc.open_file(source, options=ipc.IpcReadOptions(included_fields=wanted))
        row = 0
        for i in range(file.num_record_batches):
            batch = file.get_batch(i).select(chosen)
            yield row, batch
            row += batch.num_rows


def load(path, start=0, end=None, names=None):
    """The rows start <= row < end of the named columns (all of both if not given), as a table.

    Columns come in the order of the file. IndexError says which rows there are,
    KeyError which columns.
    """
    if start < 0 or (end is not None and end < start):
        raise IndexError(f"rows {start} to {end}: want 0 <= start <= end")
    with pa.memory_map(str(path)) as source:
        whole = ipc.open_file(source).schema
    schema = pa.schema([whole.field(name) for name in _in_file_order(path, whole, names)], whole.metadata)
    parts, rows = [], 0
    for first, batch in batches(path, names):
        rows = first + batch.num_rows
        if first < start or end is None or first < end:
            part = batch.slice(max(0, start - first), None if end is None else max(0, end - max(first, start)))
            parts.append(part)
        if end is not None and rows >= end:
            break
    if start > rows or (end is not None and end > rows):
        raise IndexError(f"rows {start} to {end} of {path}: it has the rows 0 to {rows}")
    return pa.Table.from_batches([p for p in parts if p.num_rows], schema)


def load_unique(path, name, start=0, end=None):
    """A slower signal without its repetitions: (values, their rows, Clock at these rows), three NumPy arrays.

    There are three ways to store a signal that is slower than its table, and
    the result is the same: the values that were sampled in the rows
    start <= row < end, in order.

    - Run-end encoded (newer DataFrameWriter): a value for each run of rows.
    - Nulls between (older DataFrameWriter): a value in the first row of twelve.
    - Repeated (Oniscope): the value in each of the twelve rows.
    """
    values, rows, ticks = [], [], []
    for first, batch in batches(path, [name, "Clock"]):
        if end is not None and first >= end:
            break
        column, clock = batch.column(name), batch.column("Clock").to_numpy(zero_copy_only=False)
        if pa.types.is_run_end_encoded(column.type):
            ends = np.asarray(column.run_ends)
            at = np.concatenate(([0], ends[:-1])) if len(ends) else ends
            real = column.values.to_numpy(zero_copy_only=False)
        elif column.null_count:
            at = np.flatnonzero(np.asarray(column.is_valid()))
            real = column.drop_null().to_numpy(zero_copy_only=False)
        else:
            stride = _stride(batch.schema.field(name))
            at = np.arange(-first % stride, batch.num_rows, stride)
            real = column.to_numpy(zero_copy_only=False)[at]
        wanted = (at + first >= start) & (at + first < (end if end is not None else np.inf))
        values.append(real[wanted])
        rows.append(at[wanted].astype(np.int64) + first)
        ticks.append(clock[at[wanted]])
    if not values:
        return np.array([]), np.array([], np.int64), np.array([], np.uint64)
    return np.concatenate(values), np.concatenate(rows), np.concatenate(ticks)


def clock_hz(path):
    """The rate of the acquisition clock: from the file, else from the start-time CSV beside it."""
    with pa.memory_map(str(path)) as source:
        facts = ipc.open_file(source).schema.metadata or {}
    if b"acq_clock_hz" in facts:
        return int(facts[b"acq_clock_hz"])
    suffix = pathlib.Path(path).stem.rpartition("_")[2]
    times = pathlib.Path(path).with_name(f"start-time_{suffix}.csv")
    if times.exists():
        return start_time(times)[1]
    raise LookupError(f"{path} does not state the rate of its clock, and there is no {times.name} beside it")


def start_time(path):
    """(time, clock rate in Hz) of a start-time CSV; the time as text, with its offset from UTC."""
    with open(path, newline="") as lines:
        header, line = list(csv.reader(lines))[:2]
    facts = {key.removeprefix("# ").removeprefix("Value."): value for key, value in zip(header, line)}
    return facts["Timestamp"], int(facts["AcquisitionClockHz"])


def save(path, out, compression="zstd"):
    """Writes a recording again, batch by batch, with compression: "zstd", "lz4", or None. Returns the rows.

    Types, names and all metadata stay. An existing file is not overwritten.
    """
    with pa.memory_map(str(path)) as source, open(out, "xb") as sink:
        file = ipc.open_file(source)
        with ipc.new_file(sink, file.schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
            rows = 0
            for i in range(file.num_record_batches):
                batch, facts = file.get_batch_with_custom_metadata(i)
                writer.write_batch(batch, custom_metadata=facts)
                rows += batch.num_rows
            return rows


def salvage(path, out):
    """Writes what is whole at the beginning of a file that lacks its end. Returns (rows, why it ended there).

    A recording whose process was killed has no footer, and open_file refuses
    it. What stands behind the first eight bytes is a stream, though, and
    open_stream reads it up to the first batch that is not whole. What lies
    behind damage in the middle is out of reach this way; `oniscope recover`
    finds that as well, and says what was lost.
    """
    with pa.memory_map(str(path)) as source:
        source.seek(8)
        stream = ipc.open_stream(source)
        with open(out, "xb") as sink, ipc.new_file(sink, stream.schema) as writer:
            rows = 0
            while True:
                try:
                    batch = stream.read_next_batch()
                except StopIteration:
                    return rows, "the stream ends here"
                except (pa.ArrowInvalid, OSError) as error:
                    return rows, str(error)
                writer.write_batch(batch)
                rows += batch.num_rows


def _in_file_order(path, schema, names):
    """The named columns, all if names is None, in the order of the file."""
    for name in names or []:
        if name not in schema.names:
            some = ", ".join(schema.names[:8]) + " ..." * (len(schema) > 8)
            raise KeyError(f"{name}: {path} has no such column; it has {some}")
    return [name for name in schema.names if names is None or name in names]


def _is_compressed(path, file):
    """Whether the file is smaller than its numbers are."""
    bits = sum(field.type.bit_width for field in file.schema if pa.types.is_primitive(field.type))
    return pathlib.Path(path).stat().st_size * 8 < bits * file.count_rows()


def _stride(field):
    """How many rows each value of a column stands in."""
    facts = field.metadata or {}
    if b"stride" in facts:
        return int(facts[b"stride"])
    return LFP_STRIDE if field.name.startswith("LfpData") else 1
