"""Writes recordings whose clock does what clocks do in the field, each with its twin, into testdata/field.

Needs pyarrow and numpy:  python field_clocks.py
A row comes every 8333 ticks of 250 MHz: 30 001.2 rows a second. Values are formulas of the row.
"""
import json
import pathlib

import numpy as np
import pyarrow as pa

FIELD = pathlib.Path(__file__).parent.parent / "field"
STEP, HZ = 8333, 250_000_000
RATE = HZ / STEP


def save(name, columns, parts):
    """Writes columns, name to array, in batches of so many rows."""
    schema = pa.schema([pa.field(n, a.type, a.null_count > 0) for n, a in columns.items()])
    with pa.OSFile(str(FIELD / (name + ".arrow")), "wb") as sink, pa.ipc.new_file(sink, schema) as w:
        at = 0
        for rows in parts:
            w.write_batch(pa.record_batch([a.slice(at, rows) for a in columns.values()], schema=schema))
            at += rows


def clocked(name, about, ticks, parts, segments, times=(), hz=HZ, rate=RATE, hub=None, nulls=None, **twin):
    """Writes a recording and its twin. segments are rows, half open; times are texts of seconds, and how many rows have them. Rows of nulls have no Clock."""
    ticks = np.asarray(ticks, np.uint64)
    n = len(ticks)
    columns = {"AmplifierData0": pa.array((np.arange(n) * 31 % 65536).astype(np.uint16))}
    if hub is not None:
        columns["HubClock"] = pa.array(np.asarray(hub, np.uint64))
    columns["Clock"] = pa.array(ticks, mask=nulls)
    save(name, columns, parts)
    twin = {
        "about": about + " pyarrow: generate/field_clocks.py.", "clock_hz": hz, "state": "complete", "format": "file", "rows": n, "batches": len(parts), "rate_hz": rate,
        "segments": [{"start": a, "end": b, "clock_first": int(ticks[a]), "clock_last": int(ticks[b - 1])} for a, b in segments],
        "times": [{"from": a, "to": b, "rows": r} for a, b, r in times],
        "lost_rows": 0, "kept": n, **twin,
    }
    if name == "rates-differ":
        for segment, step in zip(twin["segments"], (STEP, 5000, 2500)):
            segment["rate_hz"] = HZ / step
    (FIELD / (name + ".json")).write_text(json.dumps(twin, indent=1) + "\n")


def even(first, n):
    return first + STEP * np.arange(n, dtype=np.uint64)


restart = np.concatenate([even(1000, 600), even(1000, 600)])
clocked("restart-at-border", "A recorder that was started again: Clock begins anew where a batch begins.", restart, [300] * 4,
        [(0, 600), (600, 1200)], [("0", "0.01", 2 * 300), ("0.0199", "1", 2 * 3)], outcome="lossless",
        info=[{"severity": "info", "reason": "Clock begins anew", "batch": 2, "before_row": 600, "lost_rows": 0}], verify=[])
clocked("restart-in-batch", "Clock falls to 0 after 768 rows, inside a batch.", np.concatenate([even(1000, 768), even(0, 432)]), [300] * 4,
        [(0, 768), (768, 1200)], [("0", "0.01", 2 * 300 + 1)], hub=17 + 1400 * np.arange(1200), outcome="suspect",
        verify=[{"severity": "warning", "reason": "Clock begins anew inside a batch", "batch": 2, "before_row": 768, "lost_rows": 0}])
clocked("sawtooth", "Clock begins anew every 800 rows, once where a batch begins.", np.concatenate([even(5000, 800)] * 5), [700, 700, 700, 700, 400, 400, 400],
        [(k, k + 800) for k in range(0, 4000, 800)], [("0.01", "0.02", 5 * 300)], outcome="suspect",
        verify=[{"severity": "warning", "reason": "Clock begins anew 3 times inside batches, every 800 rows: a sawtooth"}])
nulls = np.zeros(1200, bool)
for a, b in [(0, 4), (297, 303), (595, 606), (700, 701), (1190, 1200)]:
    nulls[a:b] = True
nulls[901:1000:2] = True  # every other row
gap = even(2 * HZ, 1200)
gap[600:] += 20 * STEP
clocked("clock-with-nulls", "A table that was joined with another: Clock is null at its ends, over borders of batches, in every other row, and around a gap.", gap, [300] * 4,
        [(4, 1190)], [("2.005", "2.02", 438), ("2.02", "2.021", 5), ("2.031", "2.032", 15)], nulls=nulls, outcome="lossless", lost_rows=20,
        info=[{"severity": "info", "reason": "Clock is null in 82 rows, which have no time: the first are rows 0 to 4", "before_row": 0, "lost_rows": 0},
              {"severity": "error", "reason": "gap: about 20 rows", "before_row": 606, "lost_rows": 20}],
        verify=[{"severity": "error", "reason": "gap: about 20 rows", "before_row": 606, "lost_rows": 20}])
swapped = even(2 * HZ, 1200)
for row in (150, 700, 1101):
    swapped[[row, row + 1]] = swapped[[row + 1, row]]
clocked("rows-swapped", "Pairs of rows in the wrong order, inside batches.", swapped, [300] * 4, [(0, 1200)],
        [("2.005", "2.0050333", 1), ("2.0050333", "2.006", 29), ("2", "3", 1200)], hub=17 + 1400 * (swapped - 2 * HZ) // STEP, outcome="suspect",
        verify=[{"severity": "warning", "reason": "2 rows are in the wrong order by Clock", "before_row": row, "lost_rows": 0} for row in (150, 700, 1101)])
zeroed = even(2 * HZ, 1200)
zeroed[:300] = 0
clocked("zeroed-ticks", "The first 300 ticks are zero.", zeroed, [250] * 4 + [200], [(300, 1200)], [("2.015", "2.02", 150)], outcome="suspect",
        verify=[{"severity": "warning", "reason": "Clock of 300 rows cannot be right: tick 0", "before_row": 0}])
twice = even(1000, 1164)
twice = np.concatenate([twice[:436], twice[400:]])
clocked("buffer-twice", "A buffer of 36 frames came twice.", twice, [300] * 4, [(0, 436), (436, 1200)], [("0.0133", "0.0134", 1 + 2 * 2)], outcome="suspect",
        verify=[{"severity": "warning", "reason": "36 rows with the Clock of rows before: a buffer that came twice", "before_row": 436}])
garbled = even(1000, 1200)
garbled[500] = 377_000_000_000_000
clocked("garbled-tick", "One tick is garbled.", garbled, [300] * 4, [(0, 1200)], [("0.0166", "0.0167", 2)], outcome="suspect",
        verify=[{"severity": "warning", "reason": "Clock of 1 row cannot be right: tick 377000000000000", "before_row": 500}])
rates = np.concatenate([even(1000, 700), 7 + 5000 * np.arange(300, dtype=np.uint64), 99 + 2500 * np.arange(200, dtype=np.uint64)])
rates[150:700] += 5 * STEP
rates[760:1000] += 3 * 5000
clocked("rates-differ", "A recorder that was started again, twice, each time with another rate; rows are missing in two of the three.", rates, [350, 350, 300, 200],
        [(0, 700), (700, 1000), (1000, 1200)], [("0", "0.001", 30 + 50 + 100)], outcome="lossless", lost_rows=8,
        info=[{"severity": "error", "reason": "gap: about 5 rows", "before_row": 150, "lost_rows": 5}, {"severity": "info", "reason": "Clock begins anew", "before_row": 700},
              {"severity": "error", "reason": "gap: about 3 rows", "before_row": 760, "lost_rows": 3}, {"severity": "info", "reason": "Clock begins anew", "before_row": 1000}],
        verify=[{"severity": "error", "reason": "gap: about 5 rows", "before_row": 150, "lost_rows": 5}, {"severity": "error", "reason": "gap: about 3 rows", "before_row": 760, "lost_rows": 3}])
hub = 17 + 1400 * np.arange(1200)
ahead = even(1000, 1200)
ahead[650:] += 2 * HZ
clocked("clock-ahead-of-hub", "Clock jumps ahead by two seconds, and HubClock shows that no row is missing.", ahead, [300] * 4, [(0, 650), (650, 1200)], [("0.0216", "2.0217", 2 + 1)], hub=hub, outcome="suspect",
        verify=[{"severity": "warning", "reason": "Clock is further ahead than a gap explains", "before_row": 650, "lost_rows": 0}])
ends = even(4 * HZ, 1200)
ends[0] -= 2 * HZ
ends[-1] += 2 * HZ
clocked("garbled-ends", "The first tick is two seconds too low and the last one as much too high; HubClock shows that no row is missing.", ends, [300] * 4, [(1, 1199)], [("4", "4.0001", 3)], hub=hub, outcome="suspect",
        verify=[{"severity": "warning", "reason": f"Clock of 1 row cannot be right: tick {ends[row]}", "before_row": row, "lost_rows": 0} for row in (0, 1199)])
order = np.concatenate([np.arange(300), np.arange(600, 900), np.arange(300, 600), np.arange(900, 1200)])
clocked("batches-swapped", "Two batches in the wrong order.", even(1000, 1200)[order], [300] * 4, [(0, 600), (600, 1200)], [("0", "1", 1200)], hub=hub[order], outcome="lossless",
        verify=[{"severity": "warning", "reason": "300 rows belong by Clock before row 300, and are in the wrong order, from row 600 on", "before_row": 300, "lost_rows": 0},
                {"severity": "warning", "reason": "300 rows belong by Clock before row 900, and are in the wrong order, from row 300 on", "before_row": 900, "lost_rows": 0}])
stuck = even(1000, 1200)
stuck[500:520] = stuck[499]
clocked("stuck-tick", "Twenty rows have the Clock of the one before them, and none is missing.", stuck, [300] * 4, [(0, 1200)], [("0.0166", "0.0167", 22)], outcome="suspect",
        verify=[{"severity": "warning", "reason": "20 rows have the same Clock as the row before", "before_row": 500, "lost_rows": 0}])
low = hub.copy()
low[600] = 5
clocked("hub-garbled", "HubClock of the first row of a batch is garbled.", even(1000, 1200), [300] * 4, [(0, 1200)], [("0.0199", "0.02", 3)], hub=low, outcome="suspect",
        verify=[{"severity": "warning", "reason": "HubClock of 1 row is not between those around it", "before_row": 600, "lost_rows": 0}])
epoch = 1_774_745_998_123_456_789
clocked("epoch-nanoseconds", "Clock is nanoseconds since 1970, above 2^53.", epoch + 33_332 * np.arange(1200, dtype=np.uint64), [300] * 4, [(0, 1200)],
        [("1774745998.123456789", "1774745998.123556786", 4)], hz=1_000_000_000, rate=1e9 / 33_332, outcome="lossless", info=[], verify=[])
clocked("starts-at-2000-s", "The clock ran for 2000 s before the recording.", even(2000 * HZ, 1200), [300] * 4, [(0, 1200)], [("2000", "2000.01", 301)], outcome="lossless", info=[], verify=[])

# No Clock, but timestamps: over a change of summer time, a row each 10 ms. Of two such columns nobody knows which is meant.
t = 1_774_745_998_000_000 + 10_000 * np.arange(600, dtype=np.int64)
zoned = pa.array(t).cast(pa.timestamp("us", "Europe/Berlin"))
values = pa.array((np.arange(600) * 0.5).astype(np.float64))
save("timestamps", {"time": zoned, "value": values}, [200] * 3)
save("timestamps-two", {"time": zoned, "saved": pa.array(t * 1000).cast(pa.timestamp("ns")), "value": values}, [200] * 3)
missing = np.zeros(600, bool)
missing[7::10] = True
save("timestamps-with-nulls", {"time": pa.array(t, mask=missing).cast(pa.timestamp("us")), "value": values}, [200] * 3)
whole = [{"start": 0, "end": 600, "clock_first": int(t[0]), "clock_last": int(t[-1])}]
for name, about, segments, found in (("timestamps", "", whole, 150), ("timestamps-two", "", [], 0), ("timestamps-with-nulls", " A tenth of them are null.", whole, 135)):
    (FIELD / (name + ".json")).write_text(json.dumps({
        "about": f"A table with timestamps instead of a Clock, over a change of summer time.{about} pyarrow: generate/field_clocks.py.", "state": "complete", "format": "file", "rows": 600, "batches": 3,
        "rate_hz": 100 if segments else 0, "segments": segments, "times": [{"from": "1774746000", "to": "1774746001.5", "rows": found}] if segments else [],
        "info": [], "verify": [], "lost_rows": 0, "outcome": "lossless", "kept": 600}, indent=1) + "\n")
