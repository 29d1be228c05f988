"""The values of the signal `pattern`, recomputed from testdata/samples/README.md.

Nothing here uses the recorder's code: rows and channels in, NumPy arrays out.
Rows count from 0 in each stream; all divisions are of integers.
"""

import re

import numpy as np

ACQ_CLOCK_HZ = 250_000_000
HUB_CLOCK_AT_START = 10_000_000_000
TOTAL_MEMORY_WORDS = 1 << 29


# The streams of pattern.yaml.
STREAMS = ("analog-io", "digital-io", "heartbeat", "memory-monitor", "port-a-neuropixels-1.0e")


def split(column):
    """AnalogData3 -> ("AnalogData", 3); Clock -> ("Clock", 0)."""
    match = re.fullmatch(r"(.*?)(\d+)", column)
    return (match[1], int(match[2])) if match else (column, 0)


def kind(stream):
    """port-a-rhs2116-b -> rhs2116."""
    name = re.sub("^port-[ab]-", "", stream)
    return re.sub("(-probe)?-[ab]$", "", name)


def sampled(stream, row):
    """The tick at which a row was sampled."""
    name = kind(stream)
    if name in STEP:
        return row * STEP[name]
    if name == "digital-io":
        return 12_500_000 * (row + 1) + 1000 * (row * row % 97)
    if name == "rhs2116-trigger":
        return 62_500_000 + row * 500_000_000
    if name in PROBES:
        return row * 25_000 // 3
    raise KeyError(stream)


STEP = {"heartbeat": 2_500_000, "memory-monitor": 25_000_000, "analog-io": 2_500, "rhs2116": 8_280, "bno055": 2_500_000, "ts4231": 625_000}

LATENCY = {"heartbeat": 40, "analog-io": 60, "digital-io": 80, "memory-monitor": 140}

PROBES = ("neuropixels-1.0e", "neuropixels-2.0e", "neuropixels-2.0e-beta", "neuropixels-1.0f", "nric1384", "rhd2164")

# Kinds of probes behind a passthrough device: their latency is 100 or 120, and
# 7 more for the second probe.
PASSTHROUGH = PROBES[:3]


def latency(stream, address):
    if stream in LATENCY:
        return LATENCY[stream]
    if kind(stream) in PASSTHROUGH:
        return {8: 100, 9: 120}[address] + 7 * stream.endswith("-probe-b")
    return 200 + 20 * address


# What each kind must have, in this order: column or family -> NumPy type
# (onix-devices 4.4).
CLOCKS = {"HubClock": "u8", "Clock": "u8"}
V1 = {"LfpData": "u2", "SpikeData": "u2", "FrameCount": "i4", **CLOCKS}
XYZ = ("X", "Y", "Z")
TYPES = {
    "heartbeat": CLOCKS,
    "memory-monitor": {"BytesUsed": "u4", "PercentUsed": "f8", **CLOCKS},
    "analog-io": {**CLOCKS, "AnalogData": "i2"},
    "digital-io": {"Buttons": "u2", "DigitalInputs": "u1", **CLOCKS},
    "neuropixels-1.0e": V1,
    "neuropixels-1.0f": V1,
    "nric1384": V1,
    "neuropixels-2.0e": {"AmplifierData": "u2", **CLOCKS},
    "neuropixels-2.0e-beta": {"FrameCount": "i4", "AmplifierData": "u2", **CLOCKS},
    "rhd2164": {"AuxData": "u2", "AmplifierData": "u2", **CLOCKS},
    "rhs2116": {"RecoveryMask": "u2", "DCData": "u2", "AmplifierData": "u2", **CLOCKS},
    "rhs2116-trigger": {"Origin": "u1", "Status": "u1", "Delay": "f8", **CLOCKS},
    "bno055": {
        **CLOCKS, "Calibration": "u1", "Temperature": "i4",
        **{f"Gravity_{i}": "f4" for i in XYZ}, **{f"Acceleration_{i}": "f4" for i in XYZ},
        **{f"Quaternion_{i}": "f4" for i in (*XYZ, "W")}, **{f"EulerAngle_{i}": "f4" for i in ("Yaw", "Pitch", "Roll")},
    },
    "ts4231": {"EnvelopeType": "i2", "EnvelopeWidth": "f8", "SensorIndex": "i4", **CLOCKS},
}

# Rows of a batch that is full (4.6); other kinds have what came in a second.
BATCH_ROWS = {
    "analog-io": 100_000, "neuropixels-1.0e": 30_024, "neuropixels-1.0f": 30_024, "nric1384": 30_024, "neuropixels-2.0e": 30_000,
    "neuropixels-2.0e-beta": 30_000, "rhd2164": 30_000, "rhs2116": 30_210, "bno055": 100,
}

# How many columns of a family there are.
CHANNELS = {"AnalogData": 12, "LfpData": 384, "SpikeData": 384, "AmplifierData": {"rhd2164": 64, "rhs2116": 16}, "AuxData": 3, "DCData": 16}

# Codes of the orientation sensor: number and scale (README).
ORIENTATION = {
    **{f"EulerAngle_{a}": (i, np.float32(1 / 16)) for i, a in enumerate(("Yaw", "Pitch", "Roll"))},
    **{f"Quaternion_{a}": (3 + i, np.float32(1 / 16384)) for i, a in enumerate("WXYZ")},
    **{f"Acceleration_{a}": (7 + i, np.float32(0.01)) for i, a in enumerate("XYZ")},
    **{f"Gravity_{a}": (10 + i, np.float32(0.01)) for i, a in enumerate("XYZ")},
}


# Rates of hub clocks of headstages with devices of their own.
HUB_HZ = {"rhs2116": 50_000_000, "rhs2116-trigger": 50_000_000, **dict.fromkeys(("rhd2164", "bno055", "ts4231", "neuropixels-1.0f", "nric1384"), 42_000_000)}


def expected(stream, column, start, end, address=8):
    """The values of a column in the rows start <= row < end. address is that of the device: LATENCY says where it matters."""
    row = np.arange(start, end, dtype=np.uint64).astype(np.int64)
    family, ch = split(column)
    name = kind(stream)
    hub_hz = HUB_HZ.get(name, ACQ_CLOCK_HZ)
    k = row // 12
    fast, slow = 3 * row + 37 * ch + 5 * (row // 1024), 5 * k + 11 * ch + 7 * (k // 1024) + 512
    if family == "Clock":
        values = sampled(stream, row) + latency(stream, address) + 5 * row % 16
    elif family == "HubClock":
        whole, rest = np.divmod(sampled(stream, row), ACQ_CLOCK_HZ)  # the product would not fit
        values = HUB_CLOCK_AT_START + whole * hub_hz + rest * hub_hz // ACQ_CLOCK_HZ
    elif family == "SpikeData":
        values = fast % 1024
    elif family == "LfpData":
        values = slow % 1024
    elif family == "AmplifierData":
        codes = {"neuropixels-2.0e": 4096, "neuropixels-2.0e-beta": 16384}.get(name)
        values = codes - fast % codes if codes else fast % 65536
    elif family == "AuxData":
        values = slow % 65536
    elif family == "DCData":
        values = slow % 1024
    elif family == "RecoveryMask":
        values = row % 65536
    elif family in ("Origin", "Status"):
        values = np.ones(len(row))
    elif family == "Delay":
        values = 1e6 * (row % (1 << 20)).astype(np.float64) / 30193.2367151
    elif family in ORIENTATION:
        number, scale = ORIENTATION[family]
        values = ((7 * row + 311 * number + 5 * (row // 4096)) % 65536 - 32768).astype(np.float32) * scale
    elif family == "Temperature":
        values = row % 256
    elif family == "Calibration":
        values = row // 256 % 256
    elif family == "SensorIndex":
        values = row % 24
    elif family == "EnvelopeType":
        values = row % 10 - 1
    elif family == "EnvelopeWidth":
        values = (1000 + 7 * row % 9000).astype(np.float64) * 1e6 / hub_hz
    elif family == "FrameCount":
        values = (16 if name == "neuropixels-2.0e-beta" else 13) * row % (1 << 20)
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
    return values.astype(TYPES[name][family])


def columns(stream):
    """All column names of a stream in file order."""
    names = []
    for family in TYPES[kind(stream)]:
        count = CHANNELS.get(family, 0)
        if family == "AmplifierData":
            count = count.get(kind(stream), 384)
        names += [f"{family}{ch}" for ch in range(count)] if count else [family]
    return names
