"""Slices and recovered files that bin/oniscope made, read by pyarrow: every value compared with its formula."""

import json

import formulas
import pyarrow as pa
import pyarrow.ipc
import pytest
from conftest import oniscope
from test_recordings import STREAMS, compare, path

PROBE = "port-a-neuropixels-1.0e"


def read(file):
    with pa.memory_map(str(file)) as source:
        table = pa.ipc.open_file(source).read_all()
    table.validate(full=True)
    return table


def compare_all(stream, table, start=0):
    for column in table.column_names:
        compare(stream, column, table[column].to_numpy(), start)


@pytest.mark.parametrize("compression", ["keep", "none", "zstd"])
def test_a_slice_of_rows_and_columns_across_a_batch_border(recording, tmp_path, compression):
    out = tmp_path / "slice.arrow"
    oniscope("slice", path(recording, PROBE), "-o", out, "--start", 29_990, "--end", 60_100,
             "--columns", "Clock,SpikeData1*,LfpData383", "--compression", compression)
    table = read(out)
    assert table.num_rows == 60_100 - 29_990
    # In the order asked for; the columns of a pattern in file order.
    chosen = ["Clock", *(c for c in formulas.columns(PROBE) if c.startswith("SpikeData1")), "LfpData383"]
    assert table.column_names == chosen
    compare_all(PROBE, table, 29_990)
    original = read(path(recording, PROBE)).schema
    assert table.schema.metadata[b"acq_clock_hz"] == original.metadata[b"acq_clock_hz"]
    for name in table.column_names:
        assert table.schema.field(name).equals(original.field(name), check_metadata=True)


@pytest.mark.parametrize("stream", STREAMS)
def test_slices_join(recording, tmp_path, stream):
    rows = read(path(recording, stream)).num_rows
    cut = rows // 3
    for name, start, end in (("a", 0, cut), ("b", cut, rows)):
        oniscope("slice", path(recording, stream), "-o", tmp_path / f"{name}.arrow", "--start", start, "--end", end)
    a, b = read(tmp_path / "a.arrow"), read(tmp_path / "b.arrow")
    assert a.num_rows == cut and b.num_rows == rows - cut
    compare_all(stream, a)
    compare_all(stream, b, cut)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("part", [0.999, 0.5])
def test_what_a_cut_file_still_holds_is_recovered(recording, tmp_path, stream, part):
    whole = path(recording, stream).read_bytes()
    with pa.memory_map(str(path(recording, stream))) as source:
        file = pa.ipc.open_file(source)
        sizes = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
    cut = tmp_path / "cut.arrow"
    cut.write_bytes(whole[:int(len(whole) * part)])
    with pytest.raises(pa.ArrowInvalid):
        pa.ipc.open_file(pa.memory_map(str(cut)))
    # What pyarrow itself gets out of it as a stream is what must be recovered.
    intact = 0
    with open(cut, "rb") as source:
        source.seek(8)
        stream_reader = pa.ipc.open_stream(source)
        try:
            while True:
                intact += stream_reader.read_next_batch().num_rows
        except (StopIteration, pa.ArrowInvalid, OSError):
            pass
    out = tmp_path / "recovered.arrow"
    lossy = intact < sum(sizes)
    report = json.loads(oniscope("recover", cut, "-o", out, "--json", exit_code=3 if torn(whole, cut) else 0))
    table = read(out)
    assert table.num_rows == intact == report["rows_recovered"]
    assert lossy == (report["batches_recovered"] < len(sizes))
    compare_all(stream, table)


def torn(whole, cut):
    """Whether the cut goes through a batch: some of its bytes are there, not all."""
    ends = []
    source = pa.BufferReader(whole)
    source.seek(8)
    for _ in pa.ipc.MessageReader.open_stream(source):
        ends.append(source.tell())
    size = cut.stat().st_size
    return size < ends[-1] and size not in ends


def test_the_original_is_not_touched(recording, tmp_path):
    before = path(recording, PROBE).read_bytes()
    oniscope("slice", path(recording, PROBE), "-o", tmp_path / "s.arrow", "--start", 5, "--end", 9)
    oniscope("recover", path(recording, PROBE), "-o", tmp_path / "r.arrow")
    oniscope("info", path(recording, PROBE), "--json")
    assert path(recording, PROBE).read_bytes() == before
    compare_all(PROBE, read(tmp_path / "r.arrow"))


def test_info_agrees_with_pyarrow(recording):
    files = [path(recording, s) for s in STREAMS]
    infos = json.loads(oniscope("info", "--json", *files))
    assert [i["path"] for i in infos] == [str(f) for f in files]
    for stream, info in zip(STREAMS, infos):
        table = read(path(recording, stream))
        assert info["state"] == "complete" and info["format"] == "file"
        assert info["rows"] == table.num_rows
        assert info["batches"] == table["Clock"].num_chunks
        assert info["compression"] == recording.name
        assert [c["name"] for c in info["columns"]] == table.column_names
        words = {"double": "float64", "float": "float32"}  # pyarrow's own names for them
        assert [c["type"] for c in info["columns"]] == [words.get(str(f.type), str(f.type)) for f in table.schema]
        assert info["size_bytes"] == path(recording, stream).stat().st_size
