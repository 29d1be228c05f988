"""What pyarrow and Polars take for the jobs of `go tool mage bench`.

    python peers.py JOB FILE [OUT]

runs the job as often as fits into a second, at least three times, and prints
the median in seconds. Starting Python and importing are not counted.
"""

import os
import statistics
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq

START, ROWS, COLUMNS = 25 * 30000, 10 * 30000, 16


def load(path, start, end, names):
    """Rows [start, end) as the ONIX tutorial gets them: a memory map, batch by
    batch, columns picked, what is outside cut off, the rest joined."""
    parts, row = [], 0
    with pa.memory_map(path) as source:
        reader = pa.ipc.open_file(source)
        for i in range(reader.num_record_batches):
            batch = reader.get_batch(i)
            first, row = row, row + batch.num_rows
            if row <= start:
                continue
            if first >= end:
                break
            cut = batch.select(names)
            parts.append(cut.slice(max(0, start - first), min(end, row) - max(start, first)))
        return arrays(pa.Table.from_batches(parts))


def arrays(table):
    """One array a column, every value in it."""
    return [table[name].to_numpy() for name in table.column_names]


def spikes(path):
    with pa.memory_map(path) as source:
        names = pa.ipc.open_file(source).schema.names
    return [name for name in names if name.startswith("SpikeData")][:COLUMNS]


def slice_tutorial(path):
    out = load(path, START, START + ROWS, spikes(path))
    assert len(out) == COLUMNS and all(len(a) == ROWS for a in out)


def slice_fields(path):
    """The same with the columns picked before anything is decoded, which the
    tutorial does not do."""
    parts, row = [], 0
    with pa.memory_map(path) as source:
        names = pa.ipc.open_file(source).schema.names
        wanted = [i for i, name in enumerate(names) if name.startswith("SpikeData")][:COLUMNS]
        reader = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=wanted))
        for i in range(reader.num_record_batches):
            batch = reader.get_batch(i)
            first, row = row, row + batch.num_rows
            if row <= START:
                continue
            if first >= START + ROWS:
                break
            parts.append(batch.slice(max(0, START - first), min(START + ROWS, row) - max(START, first)))
        out = arrays(pa.Table.from_batches(parts))
    assert len(out) == COLUMNS and all(len(a) == ROWS for a in out)


def slice_polars(path):
    import polars

    file = polars.scan_ipc(path)
    names = [name for name in file.collect_schema().names() if name.startswith("SpikeData")][:COLUMNS]
    table = file.select(names).slice(START, ROWS).collect()
    out = [table[name].to_numpy() for name in names]
    assert len(out) == COLUMNS and all(len(a) == ROWS for a in out)


def count_rows(path):
    with pa.memory_map(path) as source:
        reader = pa.ipc.open_file(source)
        rows = sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))
    assert rows == 4340 * 30024, rows


def salvage(path, out):
    """The known way to save a file without a footer: as a stream, written anew."""
    with pa.OSFile(path) as source, pa.OSFile(out, "wb") as sink:
        source.seek(8)
        reader = pa.ipc.open_stream(source)
        with pa.ipc.new_file(sink, reader.schema) as writer:
            try:
                for batch in reader:
                    writer.write_batch(batch)
            except (pa.ArrowInvalid, OSError):
                pass  # the torn end
    os.remove(out)


def parquet(path, out):
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    with pa.memory_map(path) as source:
        reader = pa.ipc.open_file(source)
        with pq.ParquetWriter(out, reader.schema, compression="zstd") as writer:
            for i in range(reader.num_record_batches):
                writer.write_batch(reader.get_batch(i))
    os.remove(out)


JOBS = {job.__name__.replace("_", "-"): job for job in (slice_tutorial, slice_fields, slice_polars, count_rows, salvage, parquet)}


def main():
    job, args = JOBS[sys.argv[1]], sys.argv[2:]
    times, begin = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < 1:
        t = time.perf_counter()
        job(*args)
        times.append(time.perf_counter() - t)
        if times[-1] > 5:
            break  # once is enough
    print(statistics.median(times))


if __name__ == "__main__":
    main()
