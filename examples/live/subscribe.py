"""Follows one stream of a recording that runs: rate and RMS of every channel, once a second.

    python subscribe.py http://127.0.0.1:8765 port-a-neuropixels-1.0e --columns 'SpikeData1*'

It needs pyarrow and numpy. What is printed is computed from the same values that are in the file; however slow this is, nothing is left out.
"""

import argparse
import http.client
import sys
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pyarrow.ipc


class Refused(Exception):
    """The recorder does not give what was asked for, and says why."""


def follow(address, stream, columns="*", start="now", seconds=None, token=None):
    """Yields the batches of a stream as they are written; Clock is among the columns. address may be the one that the recorder prints."""
    address = urllib.parse.urlsplit(address)
    token = token or urllib.parse.parse_qs(address.query).get("token", [None])[0]
    address = f"{address.scheme}://{address.netloc}"
    query = {"columns": f"{columns},Clock", "from": start}
    if seconds:
        query["for"] = f"{seconds:g}s"
    url = f"{address}/live/{urllib.parse.quote(stream)}.arrows?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request) as answer, pyarrow.ipc.open_stream(answer) as reader:
            yield from reader
    except urllib.error.HTTPError as no:
        raise Refused(no.read().decode().strip()) from None
    except urllib.error.URLError as no:
        raise Refused(f"no recorder answers at {address}: {no.reason}") from None
    except (OSError, http.client.HTTPException) as no:  # without the end mark of the stream
        raise Refused(f"the stream broke off: {no!r}; what is missing is in the file, or from=TICK away") from None


class Meter:
    """Rate and RMS about the mean, over a second of the acquisition clock."""

    def __init__(self, schema):
        metadata = schema.metadata or {}
        self.hz = int(metadata[b"acq_clock_hz"])
        self.channels = [f for f in schema if f.name not in ("Clock", "HubClock") and pyarrow.types.is_integer(f.type)]
        self.scale = np.array([float((f.metadata or {}).get(b"scale", b"1")) for f in self.channels])
        self.unit = ((self.channels[0].metadata or {}).get(b"unit", b"codes") if self.channels else b"").decode()
        self.begin = None
        self.clear()

    def clear(self):
        self.rows = 0
        self.sum = np.zeros(len(self.channels))
        self.squares = np.zeros(len(self.channels))

    def add(self, batch):
        """Takes a batch in; returns (seconds, rate, RMS by channel) when a second is over, else None."""
        clock = batch.column("Clock").to_numpy()
        if len(clock) == 0:
            return None
        if self.begin is None:
            self.begin = int(clock[0])
        values = np.stack([batch.column(f.name).to_numpy().astype(np.float64) for f in self.channels]) if self.channels else np.zeros((0, len(clock)))
        self.rows += len(clock)
        self.sum += values.sum(axis=1)
        self.squares += (values**2).sum(axis=1)
        passed = (int(clock[-1]) - self.begin) / self.hz
        if passed < 1:
            return None
        mean = self.sum / self.rows
        rms = np.sqrt(np.maximum(0, self.squares / self.rows - mean**2)) * self.scale
        found = (int(clock[-1]) / self.hz, self.rows / passed, rms)
        self.begin = int(clock[-1])
        self.clear()
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("stream")
    parser.add_argument("--columns", default="*")
    parser.add_argument("--for", dest="seconds", type=float)
    parser.add_argument("--token")
    args = parser.parse_args()
    meter = None
    for batch in follow(args.address, args.stream, args.columns, seconds=args.seconds, token=args.token):
        meter = meter or Meter(batch.schema)
        if found := meter.add(batch):
            seconds, rate, rms = found
            channels = f"RMS {np.median(rms):.3g} {meter.unit} (median of {len(rms)}), largest {rms.max():.3g} in {meter.channels[int(rms.argmax())].name}" if len(rms) else ""
            print(f"{seconds:10.3f} s  {rate:9.1f} rows/s  {channels}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
    except Refused as why:
        sys.exit(f"subscribe: {why}")
