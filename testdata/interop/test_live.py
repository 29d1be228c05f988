"""A recording that runs, followed by other programs: every value is compared with the file."""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
from urllib.request import Request, urlopen

import numpy as np
import polars
import pyarrow as pa
import pyarrow.ipc
import pytest
from conftest import ONISCOPE, RIG, ROOT

sys.path.insert(0, str(ROOT / "examples" / "live"))

import lsl_bridge  # noqa: E402
import subscribe  # noqa: E402

PROBE = "port-a-neuropixels-1.0e"
SECONDS = int(os.environ.get("ONISCOPE_LIVE_SECONDS", "4"))  # more: a longer run of the same comparisons
PIECE = SECONDS - 2


def file(folder, stream):
    with pa.memory_map(str(folder / f"{stream}_0.arrow")) as source:
        return pa.ipc.open_file(source).read_all()


@pytest.fixture(scope="module", params=["none", "zstd"])
def run(request, tmp_path_factory):
    """Records for some seconds in real time while several programs follow; gives what each of them got."""
    folder = tmp_path_factory.mktemp("live") / "run"
    recorder = subprocess.Popen([ONISCOPE, "record", "--driver", "sim", "--rig", RIG, "--pace", "real-time", "--out", folder, "--duration", f"{SECONDS}s",
                                 "--compression", request.param, "--listen", "127.0.0.1:0", "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    address = re.search(r"live view: (http://[^/]+)/\?token=(\S+)", recorder.stderr.readline()).group(1)
    got, failed = {}, []

    def follow(name, read):
        def run():
            try:
                got[name] = read()
            except Exception as error:  # noqa: BLE001
                failed.append(f"{name}: {error!r}")
        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def url(stream, query):
        return f"{address}/live/{stream}.arrows?{query}"

    def whole(stream, columns):
        return pa.ipc.open_stream(urlopen(url(stream, f"from=start&columns={columns}"))).read_all()

    def node(stream, columns):
        done = subprocess.run(["node", pathlib.Path(__file__).with_name("follow.mjs"), url(stream, f"from=start&columns={columns}")], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def metered():
        meter, found = None, []
        for batch in subscribe.follow(address, PROBE, "SpikeData1?", start="start"):
            meter = meter or subscribe.Meter(batch.schema)
            found.append(meter.add(batch))
        return [f for f in found if f]

    def inlet():
        """Real LSL, where it can be loaded: what an inlet on this machine gets from the bridge."""
        name = "digital-io"
        bridge = subprocess.Popen([sys.executable, ROOT / "examples" / "live" / "lsl_bridge.py", address, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        found = lsl_bridge.pylsl.resolve_byprop("source_id", f"oniscope-{name}", timeout=SECONDS)
        assert found, "no LSL stream was found"
        inlet, samples = lsl_bridge.pylsl.StreamInlet(found[0], recover=False), []
        labels, channel = [], inlet.info().desc().child("channels").child("channel")
        while not channel.empty():
            labels.append(channel.child_value("label"))
            channel = channel.next_sibling()
        try:
            while recorder.poll() is None:
                values, at = inlet.pull_sample(timeout=0.2)
                if values is not None:
                    samples.append((at, *values))
        except lsl_bridge.pylsl.util.LostError:
            pass  # the bridge has ended with the recording
        said = bridge.communicate(timeout=30)[0]
        assert bridge.returncode == 0 and "the recording has ended" in said, said
        return labels, samples

    while True:  # until the streams are there
        status = json.load(urlopen(f"{address}/status"))
        if len(status["streams"]) >= 5:
            break
    threads = [
        follow("pyarrow probe", lambda: whole(PROBE, "SpikeData*,Clock")),
        follow("pyarrow events", lambda: whole("digital-io", "*")),
        follow("arrow-js", lambda: node(PROBE, "SpikeData10,SpikeData383,Clock")),
        follow("polars", lambda: polars.read_ipc_stream(urlopen(url("memory-monitor", f"from=start&for={PIECE}s")).read())),
        follow("a tick", lambda: pa.ipc.open_stream(urlopen(url(PROBE, "from=250000000&for=1s&columns=Clock"))).read_all()),
        follow("subscribe.py", metered),
    ]
    if lsl_bridge.pylsl is not None:
        threads.append(follow("lsl", inlet))
    for thread in threads:
        thread.join(60)
    assert recorder.wait(60) == 0
    assert failed == []
    return folder, got


def test_pyarrow_gets_every_value(run):
    folder, got = run
    for stream, name in [(PROBE, "pyarrow probe"), ("digital-io", "pyarrow events")]:
        table = got[name]
        recorded = file(folder, stream).select(table.column_names)
        assert table.num_rows == recorded.num_rows > 50
        for column in table.column_names:
            assert table[column].combine_chunks().equals(recorded[column].combine_chunks()), (stream, column)
        assert table.schema.metadata[b"acq_clock_hz"] == b"250000000"


def test_arrow_js_gets_every_value(run):
    folder, got = run
    recorded = file(folder, PROBE)
    assert set(got["arrow-js"]) == {"SpikeData10", "SpikeData383", "Clock"}
    for name, column in got["arrow-js"].items():
        values = recorded[name].to_numpy()
        assert column == {"rows": len(values), "sha256": hashlib.sha256(values.tobytes()).hexdigest()}, name


def test_polars_reads_a_finite_piece(run):
    folder, got = run
    recorded = polars.from_arrow(file(folder, "memory-monitor"))
    piece = got["polars"]
    assert piece.height == 10 * PIECE
    assert piece.equals(recorded.head(10 * PIECE))


def test_a_piece_begins_and_ends_where_it_was_asked_for(run):
    folder, got = run
    clock = file(folder, PROBE)["Clock"].to_numpy()
    piece = got["a tick"]["Clock"].to_numpy()
    wanted = clock[clock >= 250_000_000]
    assert np.array_equal(piece, wanted[wanted < wanted[0] + 250_000_000])


def test_the_subscriber_measures_rate_and_rms(run):
    folder, got = run
    assert len(got["subscribe.py"]) >= SECONDS - 2
    recorded = file(folder, PROBE)
    for seconds, rate, rms in got["subscribe.py"]:
        assert abs(rate - 30_000) < 60
        assert len(rms) == 10 and np.all(rms > 0)
    first = recorded["SpikeData10"].to_numpy()[: round(got["subscribe.py"][0][0] * 30_000)]
    scale = float(recorded.schema.field("SpikeData10").metadata[b"scale"])
    assert got["subscribe.py"][0][2][0] == pytest.approx(np.std(first.astype(float)) * scale, rel=0.02)


def test_the_lsl_bridge_sends_values_with_their_times(run):
    folder, _ = run
    batch = file(folder, "digital-io").to_batches()[0]
    names = lsl_bridge.numbers(batch.schema)
    assert "Clock" not in names and len(names) > 0
    sent = lsl_bridge.samples(batch, names)
    assert sent.shape == (batch.num_rows, len(names))
    assert np.array_equal(sent[:, 0], batch.column(names[0]).to_numpy(zero_copy_only=False))
    ticks = batch.column("Clock").to_numpy()
    clocks = lsl_bridge.Clocks(250_000_000, lambda: 1000.0)
    times = clocks.times(ticks)
    assert times[-1] == 1000.0 and np.allclose(np.diff(times), np.diff(ticks.astype(float)) / 250e6)
    if lsl_bridge.pylsl is None:
        done = subprocess.run([sys.executable, ROOT / "examples" / "live" / "lsl_bridge.py", "http://127.0.0.1:1", "x"], capture_output=True, text=True)
        assert done.returncode == 1 and "needs pylsl" in done.stderr


@pytest.mark.skipif(lsl_bridge.pylsl is None, reason="pylsl cannot be loaded here")
def test_an_lsl_inlet_gets_the_events_with_their_times(run):
    folder, got = run
    labels, samples = got["lsl"]
    recorded = file(folder, "digital-io")
    assert labels == lsl_bridge.numbers(recorded.schema)
    assert len(samples) > 20
    rows = [tuple(row) for row in np.column_stack([recorded[n].to_numpy().astype(float) for n in labels])]
    values = [sample[1:] for sample in samples]
    first = next(i for i in range(len(rows)) if rows[i : i + len(values)] == values)  # a stretch of the file, nothing left out
    clock = recorded["Clock"].to_numpy()[first : first + len(values)].astype(float) / 250e6
    times = np.array([sample[0] for sample in samples])
    apart = np.abs(np.diff(times) - np.diff(clock))  # but where a smaller delay was seen than any before
    assert np.median(apart) < 1e-6, "times are those of the samples"


def test_a_foreign_origin_is_refused(tmp_path):
    recorder = subprocess.Popen([ONISCOPE, "record", "--driver", "sim", "--rig", RIG, "--pace", "real-time", "--out", tmp_path / "x", "--duration", "1s",
                                 "--listen", "127.0.0.1:0", "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    address = re.search(r"(http://[^/]+)/", recorder.stderr.readline()).group(1)
    with pytest.raises(Exception, match="403"):
        urlopen(Request(f"{address}/status", headers={"Origin": "http://evil.example"}))
    assert recorder.wait(30) == 0


def test_the_subscriber_takes_the_printed_address_and_says_what_goes_wrong(tmp_path):
    recorder = subprocess.Popen([ONISCOPE, "record", "--driver", "sim", "--rig", RIG, "--pace", "real-time", "--out", tmp_path / "x",
                                 "--listen", "127.0.0.1:0", "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"live view: (\S+)", recorder.stderr.readline()).group(1)
        assert next(subscribe.follow(address, "heartbeat", start="start", seconds=0.5)).num_rows == 50
        for stream, columns, why in [("none", "*", "there is no stream \"none\""), ("heartbeat", "x", "no column matches")]:
            with pytest.raises(subscribe.Refused, match=why):
                next(subscribe.follow(address, stream, columns))
        batches = subscribe.follow(address, PROBE, "SpikeData1", start="start")
        next(batches)
        recorder.kill()
        with pytest.raises(subscribe.Refused, match="broke off"):
            list(batches)
        recorder.wait()  # until then it may take one more connection, and break it off
        with pytest.raises(subscribe.Refused, match="no recorder answers"):
            next(subscribe.follow(address, "heartbeat"))
    finally:
        recorder.kill()
        recorder.wait()
