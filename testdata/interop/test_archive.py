"""examples/archive on a data set made from several recordings: DuckDB and Spark against figures that come another way.

Rates and gaps against `oniscope info` and `oniscope verify` of the recordings
themselves, which read Arrow files, not the data set; RMS against NumPy.
"""

import datetime
import json
import os
import subprocess
import sys

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from conftest import RIG, ROOT, oniscope

EXAMPLES = ROOT / "examples" / "archive"
PROBE, ANALOG = "port-a-neuropixels-1.0e", "analog-io"

# 95 of the 384 channels: each is a query of its own.
CHANNELS = "SpikeData3"

# Three recordings: when they started, and which rows are cut out of each stream.
# The first runs over the full hour at its 20 000th analogue row.
RUNS = {
    "a": ("2026-11-21T09:59:59.8Z", {ANALOG: [(6_000, 6_007), (32_000, 33_000)], PROBE: [(5_000, 5_012)]}),
    "b": ("2026-11-21T10:30:00Z", {ANALOG: [(29_999, 30_500)], PROBE: []}),
    "c": ("2026-11-22T23:00:00.5Z", {ANALOG: [], PROBE: [(30_000, 33_000)]}),
}

# Of each stream: Spark takes its time, more for being started than for rows.
MOST_ROWS = 40_000


def altered(source, target, start_utc, cuts):
    """Writes a recording again as if it had begun at start_utc and had lost some rows."""
    with pa.memory_map(str(source)) as file:
        table = pa.ipc.open_file(file).read_all()
    edges = [0, *[row for cut in cuts for row in cut], min(table.num_rows, MOST_ROWS)]
    kept = pa.concat_tables([table.slice(a, b - a) for a, b in zip(edges[::2], edges[1::2])])
    facts = {**kept.schema.metadata, b"start_utc": start_utc.encode()}
    target.parent.mkdir(exist_ok=True)
    with pa.ipc.new_file(str(target), kept.schema.with_metadata(facts)) as writer:
        writer.write_table(kept.replace_schema_metadata(facts), max_chunksize=9_000)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """(folder of the data set, {stream: {name of the recording in it: its Arrow file}})"""
    folder = tmp_path_factory.mktemp("archive")
    oniscope("record", "--driver", "sim", "--rig", RIG, "--out", folder / "one", "--duration", "1.5s", "--quiet")
    recordings = {ANALOG: {}, PROBE: {}}
    for run, (start_utc, cuts) in RUNS.items():
        for stream in recordings:
            file = folder / run / f"{stream}_0.arrow"
            altered(folder / "one" / f"{stream}_0.arrow", file, start_utc, cuts[stream])
            report = json.loads(oniscope("export", file, "-o", folder / "archive", "--format", "parquet", "--partition", "stream,hour",
                                         "--columns", CHANNELS + "*,HubClock,Clock" if stream == PROBE else "*", "--json"))
            names = {f.rpartition("/")[2].rpartition("-")[0] for f in report["files"]}
            assert len(names) == 1
            recordings[stream][names.pop()] = file
    return folder / "archive", recordings


def test_hours_are_folders(dataset):
    folder, _ = dataset
    hours = sorted(p.name for p in (folder / ANALOG).iterdir())
    assert hours == ["hour=2026-11-21T09", "hour=2026-11-21T10", "hour=2026-11-22T23"]
    assert len(list((folder / ANALOG / "hour=2026-11-21T10").iterdir())) == 2


def test_no_reader_loses_columns(dataset):
    """Streams of other columns in one folder: each is read whole, by what the manifest says."""
    folder, recordings = dataset
    manifest = json.loads((folder / "_manifest.json").read_text())
    assert {d["stream"] for d in manifest["data_sets"]} == set(recordings)
    for d in manifest["data_sets"]:
        names = [c["name"] for c in d["columns"]]
        rows = sum(r["rows"] for r in d["recordings"])
        assert len(d["recordings"]) == len(RUNS) and d["keys"] == ["hour"]
        table = pq.read_table(folder / d["path"])
        assert table.column_names == [*names, "hour"] and table.num_rows == rows
        hour = pq.read_table(folder / d["path"], filters=[("hour", "=", "2026-11-21T10")])
        assert hour.column_names == table.column_names and 0 < hour.num_rows < rows
        files = f"read_parquet('{folder / d['path']}/hour=*/*.parquet', hive_partitioning = true)"
        assert duckdb.sql(f"SELECT * FROM {files}").columns == [*names, "hour"]
        assert duckdb.sql(f"SELECT COUNT(*) FROM {files}").fetchall()[0][0] == rows
        for r in d["recordings"]:
            assert sum(pq.read_metadata(folder / f).num_rows for f in r["files"]) == r["rows"]


def compare(answers, recordings, prefix):
    """answers must be what the recordings say."""
    for name, file in recordings.items():
        rates = [r for r in answers["rates"] if r["recording"] == name]
        info = json.loads(oniscope("info", "--json", file))[0]
        assert sum(r["row_count"] for r in rates) == info["rows"]
        hz = int(info["metadata"]["acq_clock_hz"])
        assert sum(r["steps"] for r in rates) / sum(r["ticks"] for r in rates) * hz == pytest.approx(info["rate_hz"], rel=1e-6)
        verified = json.loads(subprocess.run([os.environ.get("ONISCOPE", ROOT / "bin" / "oniscope"), "verify", "--json", file],
                                             capture_output=True, text=True).stdout)[0]
        lost = [f["lost_rows"] for f in verified["findings"] if f["lost_rows"] > 0]
        assert sum(r["gaps"] for r in rates) == len(lost) and sum(r["lost_rows"] for r in rates) == sum(lost)
    assert len(answers["rates"]) == 4  # the first recording lies in two hours
    want = levels(recordings.values(), prefix)
    assert {(r["hour"], r["channel"]) for r in answers["rms"]} == set(want)
    for r in answers["rms"]:
        assert r["rms"] == pytest.approx(want[r["hour"], r["channel"]], rel=1e-9), r


def levels(files, prefix):
    """{(hour, channel): root mean square around the mean} by NumPy from the Arrow files."""
    parts = {}
    for file in files:
        with pa.memory_map(str(file)) as source:
            table = pa.ipc.open_file(source).read_all()
        facts = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
        start = datetime.datetime.fromisoformat(facts["start_utc"])
        nanoseconds = (table["Clock"].to_numpy() - np.uint64(facts["start_clock"])) * 1_000_000_000 // np.uint64(facts["acq_clock_hz"])
        hours = (np.datetime64(start.replace(tzinfo=None), "ns") + nanoseconds.astype("m8[ns]")).astype("M8[h]").astype(str)
        for name in table.column_names:
            if name.startswith(prefix):
                scale = float(table.schema.field(name).metadata[b"scale"])
                values = table[name].to_numpy().astype(float) * scale
                for hour in np.unique(hours):
                    parts.setdefault((str(hour), name), []).append(values[hours == hour])
    return {key: np.concatenate(values).std() for key, values in parts.items()}


def ask(program, dataset, stream, prefix):
    env = {k: v for k, v in os.environ.items() if k != "JAVA_HOME"}
    done = subprocess.run([sys.executable, EXAMPLES / program, dataset[0], stream, prefix, "--json"], capture_output=True, text=True, env=env, timeout=400)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("stream, prefix", [(ANALOG, "AnalogData"), (PROBE, CHANNELS)])
def test_duckdb(dataset, stream, prefix):
    compare(ask("with_duckdb.py", dataset, stream, prefix), dataset[1][stream], prefix)


def test_spark(dataset):
    compare(ask("with_spark.py", dataset, ANALOG, "AnalogData"), dataset[1][ANALOG], "AnalogData")


def test_what_is_not_there(dataset):
    done = subprocess.run([sys.executable, EXAMPLES / "with_duckdb.py", dataset[0], ANALOG, "Spike"], capture_output=True, text=True)
    assert done.returncode != 0 and "has no column Spike" in done.stderr
