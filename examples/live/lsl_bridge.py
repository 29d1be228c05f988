"""Sends a slow stream of a recording that runs to the Lab Streaming Layer: IMU values, or digital events.

    python lsl_bridge.py http://127.0.0.1:8765 port-a-bno055
    python lsl_bridge.py http://127.0.0.1:8765 digital-io

It needs pyarrow, numpy and pylsl (pip install pylsl, which brings liblsl for most systems). Values arrive with the batches of the file: once in --flush of the
recorder, a second unless it was told otherwise (`record --flush 20ms`). Their LSL time is that of the sample, not of its arrival.
"""

import argparse
import sys
import time

import numpy as np

from subscribe import Refused, follow

try:
    import pylsl
except (ImportError, RuntimeError) as missing:
    pylsl = None
    why = missing


class Clocks:
    """Ticks of the acquisition clock as LSL time: the least delay seen so far is taken as none."""

    def __init__(self, hz, local_clock):
        self.hz, self.local_clock, self.offset = hz, local_clock, None

    def times(self, ticks):
        seconds = np.asarray(ticks, dtype=np.float64) / self.hz
        offset = self.local_clock() - seconds[-1]
        self.offset = offset if self.offset is None else min(self.offset, offset)
        return seconds + self.offset


def numbers(schema):
    """The columns that LSL can take: numbers, but no clocks."""
    return [f.name for f in schema if f.name not in ("Clock", "HubClock") and str(f.type) not in ("string", "binary") and not str(f.type).startswith("fixed_size_binary")]


def samples(batch, names):
    """Rows of a batch as one array of float64, a row a sample."""
    return np.column_stack([batch.column(n).to_numpy(zero_copy_only=False).astype(np.float64) for n in names])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("stream")
    parser.add_argument("--token")
    args = parser.parse_args()
    if pylsl is None:
        sys.exit(f"lsl_bridge needs pylsl, which cannot be loaded here: {why}\npip install pylsl, and where that brings no liblsl, it is at https://github.com/sccn/liblsl/releases")
    outlet = clocks = names = None
    for batch in follow(args.address, args.stream, token=args.token):
        if outlet is None:
            names = numbers(batch.schema)
            info = pylsl.StreamInfo(args.stream, "ONIX", len(names), pylsl.IRREGULAR_RATE, "double64", f"oniscope-{args.stream}")
            channels = info.desc().append_child("channels")
            for name in names:
                channels.append_child("channel").append_child_value("label", name)
            outlet, clocks = pylsl.StreamOutlet(info), Clocks(int(batch.schema.metadata[b"acq_clock_hz"]), pylsl.local_clock)
        if batch.num_rows:
            for sample, at in zip(samples(batch, names), clocks.times(batch.column("Clock").to_numpy())):
                outlet.push_sample(sample.tolist(), at)
    print(f"{args.stream}: the recording has ended ({time.strftime('%H:%M:%S')})")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
    except Refused as why:
        sys.exit(f"lsl_bridge: {why}")
