"""The values of the signal `pattern`, recomputed from testdata/samples/README.md.

Nothing here uses the recorder's code: rows and channels in, NumPy arrays out.
Rows count from 0 in each stream; all divisions are of integers.
"""

import re

import numpy as np

ACQ_CLOCK_HZ = 250_000_000
HUB_CLOCK_AT_START = 10_000_000_000
TOTAL_MEMORY_WORDS = 1 << 29


def split(column):
    """AnalogData3 -> ("AnalogData", 3); Clock -> ("Clock", 0)."""
    match = re.fullmatch(r"(.*?)(\d+)", column)
    return (match[1], int(match[2])) if match else (column, 0)


def sampled(stream, row):
    """The tick at which a row was sampled."""
    if stream == "heartbeat":
        return row * (ACQ_CLOCK_HZ // 100)
    if stream == "memory-monitor":
        return row * (ACQ_CLOCK_HZ // 10)
    if stream == "analog-io":
        return row * (ACQ_CLOCK_HZ // 100_000)
    if stream == "digital-io":
        return 12_500_000 * (row + 1) + 1000 * (row * row % 97)
    if stream == "port-a-neuropixels-1.0e":
        return row * 25_000 // 3
    raise KeyError(stream)


LATENCY = {"heartbeat": 40, "analog-io": 60, "digital-io": 80, "port-a-neuropixels-1.0e": 100, "memory-monitor": 140}

# What each stream must have, in this order: column or family -> NumPy type.
TYPES = {
    "heartbeat": {"HubClock": "u8", "Clock": "u8"},
    "memory-monitor": {"BytesUsed": "u4", "PercentUsed": "f8", "HubClock": "u8", "Clock": "u8"},
    "analog-io": {"HubClock": "u8", "Clock": "u8", "AnalogData": "i2"},
    "digital-io": {"Buttons": "u2", "DigitalInputs": "u1", "HubClock": "u8", "Clock": "u8"},
    "port-a-neuropixels-1.0e": {"LfpData": "u2", "SpikeData": "u2", "FrameCount": "i4", "HubClock": "u8", "Clock": "u8"},
}

# How many columns of a family there are.
CHANNELS = {"AnalogData": 12, "LfpData": 384, "SpikeData": 384}


def expected(stream, column, start, end):
    """The values of a column in the rows start <= row < end."""
    row = np.arange(start, end, dtype=np.uint64).astype(np.int64)
    family, ch = split(column)
    if family == "Clock":
        values = sampled(stream, row) + LATENCY[stream] + 5 * row % 16
    elif family == "HubClock":
        values = HUB_CLOCK_AT_START + sampled(stream, row)
    elif family == "SpikeData":
        values = (3 * row + 37 * ch + 5 * (row // 1024)) % 1024
    elif family == "LfpData":
        k = row // 12
        values = (5 * k + 11 * ch + 7 * (k // 1024) + 512) % 1024
    elif family == "FrameCount":
        values = 13 * row % (1 << 20)
    elif family == "AnalogData":
        values = 4 * ((3 * row + 683 * ch + row // 16384) % 16384) - 32768
    elif family == "DigitalInputs":
        values = row % 256
    elif family == "Buttons":
        values = row // 16 % 64 + 256 * (row // 64 % 16)
    elif family in ("BytesUsed", "PercentUsed"):
        words = 7_654_321 * row % (TOTAL_MEMORY_WORDS + 1)
        values = words * 4 % (1 << 32) if family == "BytesUsed" else 100 * words.astype(np.float64) / TOTAL_MEMORY_WORDS
    else:
        raise KeyError(column)
    return values.astype(TYPES[stream][family])


def columns(stream):
    """All column names of a stream in file order."""
    names = []
    for family in TYPES[stream]:
        names += [f"{family}{ch}" for ch in range(CHANNELS[family])] if family in CHANNELS else [family]
    return names
