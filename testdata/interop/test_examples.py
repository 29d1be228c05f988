"""examples/python on the recorder's files and on those of Bonsai: results against formulas, not against our own reader.

The formulas of Bonsai's files are those of testdata/foreign/bonsai/README.md.
"""

import re
import subprocess
import sys

import formulas
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest
from conftest import ROOT
from matplotlib import image
from test_recordings import path

EXAMPLES = ROOT / "examples" / "python"
sys.path.insert(0, str(EXAMPLES))

import recordings  # noqa: E402

PROBE = "port-a-neuropixels-1.0e"
BONSAI = ROOT / "testdata" / "foreign" / "bonsai"

# LFP in both of Bonsai's layouts, plain and zstd: 384 rows in batches of 120.
BONSAI_LFP = ["old_NeuropixelsV1", "old_NeuropixelsV1_zstd", "new_NeuropixelsV1", "new_NeuropixelsV1_zstd"]


def numbered(file, name):
    """How this file calls a channel: older ones put Ch before the number."""
    return name if name in recordings.columns(file) else re.sub(r"(\d+)$", r"Ch\1", name)


@pytest.mark.parametrize("start, end", [(0, None), (29_990, 60_010), (30_000, 30_000), (7, 8), (74_000, None)])
def test_load_rows_and_columns(recording, start, end):
    names = ["SpikeData0", "SpikeData383", "Clock"]
    table = recordings.load(path(recording, PROBE), start, end, names)
    assert table.column_names == names
    rows = table.num_rows if end is None else end - start
    assert table.num_rows == rows
    for name in names:
        assert np.array_equal(table[name].to_numpy(), formulas.expected(PROBE, name, start, start + rows))


def test_loading_a_plain_file_copies_nothing(recording):
    before = pa.total_allocated_bytes()
    table = recordings.load(path(recording, PROBE), names=["SpikeData5"])
    assert table.nbytes > 100_000
    assert (pa.total_allocated_bytes() - before < 1000) == (recording.name == "none")


def test_loading_what_is_not_there_says_what_is(recording):
    file = path(recording, "heartbeat")
    rows = recordings.load(file).num_rows
    for start, end in [(0, rows + 1), (rows + 1, None), (5, 4), (-1, 3)]:
        with pytest.raises(IndexError, match=f"0 to {rows}" if start >= 0 and end != 4 else "want 0 <= start <= end"):
            recordings.load(file, start, end)
    with pytest.raises(KeyError, match="no such column; it has HubClock, Clock"):
        recordings.load(file, names=["clock"])


@pytest.mark.parametrize("stream", formulas.STREAMS)
def test_batches_join_to_the_whole(recording, stream):
    name = formulas.columns(stream)[0]
    parts = list(recordings.batches(path(recording, stream), [name]))
    assert [first for first, _ in parts] == list(np.cumsum([0] + [b.num_rows for _, b in parts[:-1]]))
    values = np.concatenate([b.column(name).to_numpy(zero_copy_only=False) for _, b in parts])
    assert np.array_equal(values, formulas.expected(stream, name, 0, len(values)))


@pytest.mark.parametrize("start, end", [(0, None), (5, 40_000), (29_999, 30_001)])
def test_the_lfp_of_ours_at_its_own_rate(recording, start, end):
    values, rows, ticks = recordings.load_unique(path(recording, PROBE), "LfpData100", start, end)
    last = end if end is not None else recordings.load(path(recording, PROBE), names=["Clock"]).num_rows
    assert np.array_equal(rows, [r for r in range(start, last) if r % 12 == 0])
    k = rows // 12
    assert np.array_equal(values, (5 * k + 1100 + 7 * (k // 1024) + 512) % 1024)
    assert np.array_equal(ticks, rows * 25_000 // 3 + 100 + 5 * rows % 16)


@pytest.mark.parametrize("file", BONSAI_LFP)
@pytest.mark.parametrize("start, end", [(0, None), (5, 250), (119, 121), (120, 132), (383, None)])
def test_the_lfp_of_bonsai_in_both_layouts(file, start, end):
    file = BONSAI / f"{file}.arrow"
    values, rows, ticks = recordings.load_unique(file, numbered(file, "LfpData17"), start, end)
    assert np.array_equal(rows, [r for r in range(start, end or 384) if r % 12 == 0])
    assert np.array_equal(values, (17 * 5 + rows // 12 * 11 + 512) % 1024)
    assert np.array_equal(ticks, 8333 * rows + 1000)


def test_a_column_that_is_not_slower_is_unique_as_it_is():
    values, rows, ticks = recordings.load_unique(BONSAI / "old_MemoryMonitor_zstd.arrow", "PercentUsed", 40, 60)
    assert np.array_equal(rows, np.arange(40, 60)) and np.array_equal(ticks, 25_000_000 * rows + 1000)
    assert np.array_equal(values, 100.0 * bonsai_usage(rows) / 268_435_456)


def bonsai_usage(row):
    p = row % 3000
    return 1000 + 60_000 * np.where(p < 1500, p, 3000 - p) + 5000 * row + 1111 * (row % 7)


def test_load_from_bonsai():
    table = recordings.load(BONSAI / "old_MemoryMonitor.arrow", 45, 17_990, ["BytesUsed", "Clock"])
    rows = np.arange(45, 17_990)
    assert np.array_equal(table["BytesUsed"].to_numpy(), (4 * bonsai_usage(rows)).astype("u4"))
    assert np.array_equal(table["Clock"].to_numpy(), 25_000_000 * rows + 1000)


@pytest.mark.parametrize("compression, smaller", [("zstd", True), ("lz4", True), (None, False)])
def test_save_again_with_compression(recording, tmp_path, compression, smaller):
    file, out = path(recording, PROBE), tmp_path / "again.arrow"
    rows = recordings.save(file, out, compression)
    table = recordings.load(out)
    assert table.num_rows == rows
    assert table.schema.equals(recordings.load(file, 0, 0).schema, check_metadata=True)
    for name in ("LfpData3", "SpikeData200", "FrameCount", "Clock"):
        assert np.array_equal(table[name].to_numpy(), formulas.expected(PROBE, name, 0, rows))
    assert (out.stat().st_size < table.nbytes * 0.9) == smaller
    with pytest.raises(FileExistsError):
        recordings.save(file, out, compression)


@pytest.mark.parametrize("file", BONSAI_LFP)
def test_save_keeps_either_layout_of_bonsai(tmp_path, file):
    out = tmp_path / "again.arrow"
    assert recordings.save(BONSAI / f"{file}.arrow", out, "lz4") == 384
    name = numbered(out, "LfpData17")
    assert np.array_equal(recordings.load_unique(out, name)[0], (17 * 5 + np.arange(32) * 11 + 512) % 1024)


@pytest.mark.parametrize("file, rows, name, formula", [
    ("old_NeuropixelsV1_killed", 120, "SpikeData9", lambda row: (9 * 7 + row * 3) % 1024),
    ("new_NeuropixelsV1_zstd_killed", 120, "SpikeData9", lambda row: (9 * 7 + row * 3) % 1024),
    ("new_NeuropixelsV1_killed", 120, "Clock", lambda row: 8333 * row + 1000),
    ("old_MemoryMonitor_killed", 2900, "BytesUsed", lambda row: (4 * bonsai_usage(row)).astype("u4")),
    ("old_Heartbeat_killbeforeend", 150, "Clock", lambda row: 25_000_000 * row + 1000),
    ("new_Bno055", 1234, "Temperature", lambda row: 20 + row % 20),
])
def test_salvage_by_open_stream(tmp_path, file, rows, name, formula):
    out = tmp_path / "whole.arrow"
    got, why = recordings.salvage(BONSAI / f"{file}.arrow", out)
    assert got == rows and why
    values = recordings.load(out, names=[numbered(out, name)]).column(0).to_numpy()
    assert np.array_equal(values, formula(np.arange(rows)))


def test_salvage_what_a_kill_left_of_ours(recording, tmp_path):
    whole = path(recording, PROBE).read_bytes()
    (tmp_path / "cut.arrow").write_bytes(whole[:len(whole) * 7 // 10])
    with pytest.raises(pa.ArrowInvalid):
        recordings.load(tmp_path / "cut.arrow")
    rows, why = recordings.salvage(tmp_path / "cut.arrow", tmp_path / "whole.arrow")
    assert rows > 29_000 and why != "the stream ends here"
    table = recordings.load(tmp_path / "whole.arrow", names=["SpikeData77"])
    assert np.array_equal(table["SpikeData77"].to_numpy(), formulas.expected(PROBE, "SpikeData77", 0, rows))


@pytest.mark.parametrize("csv, local", [
    ("start-time_0.csv", "2026-11-21T04:24:02.2109440-05:00"),
    ("start-time_0_crlf.csv", "2026-11-21T04:24:02.2109440-05:00"),
    ("start-time_1.csv", "2026-11-21T04:24:02.7353600-05:00"),
    ("start-time_2.csv", "2026-11-21T04:24:03.2462848-05:00"),
])
def test_start_time_of_bonsai(csv, local):
    assert recordings.start_time(BONSAI / csv) == (local, 250_000_000)


def test_the_clock_of_a_file_without_metadata_is_in_the_csv_beside_it(recording, tmp_path):
    assert recordings.clock_hz(path(recording, PROBE)) == 250_000_000
    (tmp_path / "memory_0.arrow").write_bytes((BONSAI / "old_MemoryMonitor.arrow").read_bytes())
    with pytest.raises(LookupError, match="no start-time_0.csv beside it"):
        recordings.clock_hz(tmp_path / "memory_0.arrow")
    (tmp_path / "start-time_0.csv").write_bytes((BONSAI / "start-time_0.csv").read_bytes())
    assert recordings.clock_hz(tmp_path / "memory_0.arrow") == 250_000_000


@pytest.fixture(scope="module")
def memory_of_bonsai(tmp_path_factory):
    """Half an hour of memory use, with the CSV that gives it its clock."""
    folder = tmp_path_factory.mktemp("bonsai")
    (folder / "memory-monitor_0.arrow").write_bytes((BONSAI / "old_MemoryMonitor.arrow").read_bytes())
    (folder / "start-time_0.csv").write_bytes((BONSAI / "start-time_0.csv").read_bytes())
    return folder / "memory-monitor_0.arrow"


def test_memory_use_is_drawn_in_two_panels_over_one_time_axis(memory_of_bonsai):
    import plot_memory

    percent, megabytes = plot_memory.figure(memory_of_bonsai).axes
    row = np.arange(18_000)
    seconds = (25_000_000 * row + 1000) / 250_000_000
    for axes, want in ((percent, 100 * bonsai_usage(row) / 268_435_456), (megabytes, (4 * bonsai_usage(row)).astype("u4") / 1e6)):
        x, y = axes.lines[0].get_data()
        assert np.allclose(x, seconds, rtol=0, atol=1e-9) and np.allclose(y, want)
    assert percent.get_shared_x_axes().joined(percent, megabytes)
    assert megabytes.get_xlabel() == "time (s)"
    assert [a.get_ylabel() for a in (percent, megabytes)] == ["used (%)", "used (MB)"]


def test_plot_memory_as_a_program(recording, memory_of_bonsai, tmp_path):
    for file in (path(recording, "memory-monitor"), memory_of_bonsai):
        out = tmp_path / f"{file.parent.name}.png"
        subprocess.run([sys.executable, EXAMPLES / "plot_memory.py", file, out], check=True)
        width, height, pixels = ink(out)
        assert (width, height) == (1200, 675) and pixels > 2000


def ink(file):
    """The size of a picture, and how many of its pixels have the colour of the line."""
    pixels = image.imread(file)[..., :3]
    near = np.abs(pixels - np.array([0x0F, 0x76, 0x6E]) / 255).max(axis=-1) < 0.02
    return pixels.shape[1], pixels.shape[0], int(near.sum())


def test_the_readme_runs_as_it_stands(recording, tmp_path, monkeypatch, capsys):
    for file in recording.iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (EXAMPLES / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 1
    exec(compile(blocks[0], "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert "6000 rows from 1.000 s to 1.200 s" in said
    assert "every 12 rows" in said
    # The formula runs evenly through 0 to 1023 in 74 988 rows and more.
    rms = float(re.search(r"RMS of AP 0: ([\d.]+)", said)[1])
    assert abs(rms - 1024 / 12**0.5) < 1
