"""The questions that are put to a data set of recordings, in SQL that DuckDB and Spark both understand.

A data set is what `oniscope export --format parquet --partition stream,hour`
makes of one or more recordings:

    archive/analog-io/hour=2026-11-21T09/analog-io-271d71a9ecd5-0.parquet

Each stream is a data set of its own, and hour (UTC) a column like any other. The name of a file begins with
its recording, which a third column gives: clocks start anew in each.
"""

import pathlib

import pyarrow.parquet as pq

# How many periods of the hub clock two rows must be apart for rows to be missing.
GAP = 1.5

# The recording in the path of a file: all but the number of its first row.
RECORDING = r"([^/]*)-[0-9]+[.]parquet$"

# For each recording and hour: rows; steps from row to row without those over a
# gap, and how many ticks of the acquisition clock they took; gaps by the hub
# clock. A step belongs to the hour of the row behind it.
RATES = f"""
WITH ticks AS (
    SELECT recording, hour, CAST(Clock AS BIGINT) AS tick, CAST(HubClock AS BIGINT) AS hub_tick FROM samples
), steps AS (
    SELECT recording, hour, tick - LAG(tick) OVER (PARTITION BY recording ORDER BY hub_tick) AS step,
           hub_tick - LAG(hub_tick) OVER (PARTITION BY recording ORDER BY hub_tick) AS hub_step
    FROM ticks
), counted AS (
    SELECT recording, hour, hub_step, COUNT(*) AS row_count, COUNT(step) AS steps, SUM(step) AS ticks
    FROM steps GROUP BY recording, hour, hub_step
), pace AS (
    SELECT recording AS whose, MAX(hub_step) AS period FROM (
        SELECT recording, hub_step, ROW_NUMBER() OVER (PARTITION BY recording ORDER BY SUM(steps) DESC) AS place
        FROM counted WHERE hub_step IS NOT NULL GROUP BY recording, hub_step
    ) AS ranked WHERE place = 1 GROUP BY recording
)
SELECT recording, hour,
       CAST(SUM(row_count) AS BIGINT) AS row_count,
       CAST(SUM(CASE WHEN hub_step <= {GAP} * period THEN steps ELSE 0 END) AS BIGINT) AS steps,
       CAST(SUM(CASE WHEN hub_step <= {GAP} * period THEN ticks ELSE 0 END) AS BIGINT) AS ticks,
       CAST(SUM(CASE WHEN hub_step > {GAP} * period THEN steps ELSE 0 END) AS BIGINT) AS gaps,
       CAST(SUM(CASE WHEN hub_step > {GAP} * period THEN steps * (ROUND(hub_step / period) - 1) ELSE 0 END) AS BIGINT) AS lost_rows
FROM counted JOIN pace ON recording = whose
GROUP BY recording, hour
ORDER BY recording, hour
"""


def rms(columns):
    """The query for the root mean square of channels around their mean, for each hour: one column a channel."""
    return f"SELECT hour, {', '.join(f'STDDEV_POP({c}) AS {c}' for c in columns)} FROM samples GROUP BY hour ORDER BY hour"


def files(archive, stream):
    """The folder of a stream, and one of its files to ask for columns and metadata."""
    folder = pathlib.Path(archive) / stream
    found = sorted(folder.glob("hour=*/*.parquet"))
    if not found:
        raise FileNotFoundError(f"{folder} holds no hour=*/*.parquet")
    return folder, found[0]


def channels(file, prefix):
    """The columns of a signal, with the value of one code: {"SpikeData0": 2.34, ...}; 1 where it is not known."""
    schema = pq.read_schema(file)
    scales = {f.name: float((f.metadata or {}).get(b"scale", 1)) for f in schema if f.name.startswith(prefix)}
    if not scales:
        raise KeyError(f"{file} has no column {prefix}...; it has {', '.join(schema.names[:8])} ...")
    return scales


def clock_hz(file):
    """The rate of the acquisition clock."""
    return int(pq.read_schema(file).metadata[b"acq_clock_hz"])


def answer(archive, stream, prefix, ask, at_once=1000):
    """Puts both questions through ask(folder, sql), which returns rows as dictionaries.

    No query is about more than at_once channels.
    """
    folder, file = files(archive, stream)
    scales, hz = channels(file, prefix), clock_hz(file)
    rates = [{**row, "rate_hz": row["steps"] / row["ticks"] * hz} for row in ask(folder, RATES)]
    names, levels = list(scales), []
    for first in range(0, len(names), at_once):
        some = names[first:first + at_once]
        levels += [{"hour": row["hour"], "channel": c, "rms": row[c] * abs(scales[c])} for row in ask(folder, rms(some)) for c in some]
    levels.sort(key=lambda level: level["hour"])
    return {"rates": rates, "rms": levels}


def show(answers, hours_of=4):
    """Prints the answers as two tables, the second cut short."""
    print(f"{'recording':<44} {'hour':<14} {'rows':>9} {'rate (Hz)':>12} {'gaps':>5} {'lost rows':>9}")
    for r in answers["rates"]:
        print(f"{r['recording']:<44} {r['hour']:<14} {r['row_count']:>9} {r['rate_hz']:>12.3f} {r['gaps']:>5} {r['lost_rows']:>9}")
    print(f"\n{'hour':<14} {'channel':<14} {'RMS':>9}")
    for r in answers["rms"][:hours_of * 4]:
        print(f"{r['hour']:<14} {r['channel']:<14} {r['rms']:>9.3f}")
