"""pyarrow, pandas and NumPy on what the recorder wrote in `pattern`: every value compared with its formula."""

import datetime

import formulas
import numpy as np
import pandas
import pyarrow as pa
import pyarrow.ipc
import pytest

STREAMS = formulas.STREAMS

# Rows that 2.5 s hold at least: the run ends with the first frames after it.
AT_LEAST = {"heartbeat": 250, "memory-monitor": 25, "analog-io": 250_000, "digital-io": 49, "port-a-neuropixels-1.0e": 74_988}


def path(recording, stream):
    return recording / f"{stream}_0.arrow"


def compare(stream, column, values, start=0):
    """values must be those of the rows from start, with the right type."""
    want = formulas.expected(stream, column, start, start + len(values))
    assert values.dtype == want.dtype, f"{column}: {values.dtype}, want {want.dtype}"
    if not np.array_equal(values, want):
        row = int(np.argmax(values != want))
        pytest.fail(f"{stream}.{column} row {start + row}: {values[row]}, want {want[row]}")


def test_there_is_one_file_for_each_stream(recording):
    assert sorted(p.name for p in recording.glob("*.arrow")) == sorted(f"{s}_0.arrow" for s in STREAMS)


@pytest.mark.parametrize("stream", STREAMS)
def test_open_file_on_a_memory_map_and_read_all(recording, stream):
    with pa.memory_map(str(path(recording, stream))) as source:
        table = pa.ipc.open_file(source).read_all()
    table.validate(full=True)
    assert table.column_names == formulas.columns(stream)
    assert table.num_rows >= AT_LEAST[stream]
    for column in table.column_names:
        assert table[column].null_count == 0
        compare(stream, column, table[column].to_numpy())


@pytest.mark.parametrize("stream", STREAMS)
def test_get_batch_with_constant_batch_sizes(recording, stream):
    with pa.memory_map(str(path(recording, stream))) as source:
        file = pa.ipc.open_file(source)
        sizes = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
        start = 0
        for i, size in enumerate(sizes):
            batch = file.get_batch(i)
            for column in batch.schema.names:
                compare(stream, column, batch.column(column).to_numpy(zero_copy_only=False), start)
            start += size
    if stream in ("analog-io", "port-a-neuropixels-1.0e"):
        assert len(sizes) > 1 and set(sizes[:-1]) == {sizes[0]} and sizes[-1] <= sizes[0]


@pytest.mark.parametrize("stream", STREAMS)
def test_the_plain_file_is_not_copied(recording, stream):
    if recording.name != "none":
        pytest.skip("a compressed body has to be decoded")
    before = pa.total_allocated_bytes()  # other tests may still have some
    with pa.memory_map(str(path(recording, stream))) as source:
        batch = pa.ipc.open_file(source).get_batch(0)
        for column in batch.schema.names:
            compare(stream, column, batch.column(column).to_numpy(zero_copy_only=True))
        assert pa.total_allocated_bytes() - before < 1 << 20


@pytest.mark.parametrize("stream", STREAMS)
def test_pandas_read_feather(recording, stream):
    frame = pandas.read_feather(path(recording, stream))
    assert list(frame.columns) == formulas.columns(stream)
    for column in frame.columns:
        compare(stream, column, frame[column].to_numpy())


@pytest.mark.parametrize("stream", STREAMS)
def test_the_old_trick_of_open_stream_behind_the_magic(recording, stream):
    with open(path(recording, stream), "rb") as source:
        source.seek(8)
        table = pa.ipc.open_stream(source).read_all()
    assert table.num_rows >= AT_LEAST[stream]
    for column in table.column_names:
        compare(stream, column, table[column].to_numpy())


@pytest.mark.parametrize("stream", STREAMS)
def test_the_compression_is_what_was_asked_for(recording, stream):
    data = path(recording, stream).stat().st_size
    rows = pa.ipc.open_file(pa.memory_map(str(path(recording, stream)))).read_all()
    plain = rows.nbytes
    if recording.name == "none":
        assert data >= plain
    elif stream == "port-a-neuropixels-1.0e":
        assert data < plain / 2


@pytest.mark.parametrize("stream", STREAMS)
def test_the_file_describes_itself(recording, stream):
    schema = pa.ipc.open_file(pa.memory_map(str(path(recording, stream)))).schema
    facts = {k.decode(): v.decode() for k, v in schema.metadata.items()}
    assert facts["stream"] == stream
    assert facts["acq_clock_hz"] == "250000000"
    assert facts["simulated"] == "true"
    assert int(facts["start_clock"]) >= 0
    assert datetime.datetime.fromisoformat(facts["start_utc"]).utcoffset() == datetime.timedelta(0)
    for key in ("oniscope.version", "device", "device_id", "device_address"):
        assert facts[key]
    if stream == "port-a-neuropixels-1.0e":
        lfp, ap = (({k.decode(): v.decode() for k, v in schema.field(n).metadata.items()}) for n in ("LfpData7", "SpikeData7"))
        assert float(ap["rate_hz"]) == 30000 and float(lfp["rate_hz"]) == 2500
        assert lfp["stride"] == "12" and float(ap["gain"]) == 1000 and float(lfp["gain"]) == 50
        # 1.2 V over 1024 codes of an amplifier, mid-scale 512 (onix-devices 3.17)
        assert float(ap["offset"]) == 512 and float(lfp["offset"]) == 512


def test_every_twelfth_row_is_the_lfp(recording):
    with pa.memory_map(str(path(recording, "port-a-neuropixels-1.0e"))) as source:
        column = pa.ipc.open_file(source).read_all()["LfpData100"].to_numpy()
    k = np.arange(len(column[::12]))
    assert np.array_equal(column[::12], (5 * k + 1100 + 7 * (k // 1024) + 512) % 1024)


@pytest.mark.parametrize("skip_header", [0, 1])
def test_start_time_through_genfromtxt(recording, skip_header):
    # The loader of the original's tutorials, both shapes of it.
    columns = {"names": ("time", "acq_clk_hz", "block_read_sz", "block_write_sz"),
               "formats": ("datetime64[us]", "u4", "u4", "u4")}
    text = (recording / "start-time_0.csv").read_text()
    # datetime64 knows no offset, and newer NumPy warns about the one that says UTC.
    with pytest.warns(UserWarning, match="no explicit representation of timezones"):
        row = np.genfromtxt(recording / "start-time_0.csv", delimiter=",", dtype=columns, skip_header=skip_header)
    assert row["acq_clk_hz"] == 250_000_000
    stamp = text.splitlines()[1].split(",")[0]
    assert row["time"].item() == datetime.datetime.fromisoformat(stamp).astimezone(datetime.timezone.utc).replace(tzinfo=None)
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(stamp)
    assert datetime.timedelta(0) <= age < datetime.timedelta(hours=1)
