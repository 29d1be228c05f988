"""Memory use of the controller against time: plot_memory.py memory-monitor_0.arrow memory.png

If the memory of the acquisition hardware fills up, the computer reads its data
too slowly: a rising line here is the first thing to look for when a recording
ended early.
"""

import pathlib
import sys

import matplotlib

matplotlib.use("Agg")  # draws into a file; no window

import matplotlib.pyplot as plt

import recordings

PANELS = [("PercentUsed", "used (%)", 1), ("BytesUsed", "used (MB)", 1e-6)]


def figure(path):
    """Two panels over one time axis."""
    table = recordings.load(path, names=["PercentUsed", "BytesUsed", "Clock"])
    seconds = table["Clock"].to_numpy() / recordings.clock_hz(path)
    fig, panels = plt.subplots(2, 1, sharex=True, figsize=(8, 4.5), layout="constrained")
    for axes, (name, label, scale) in zip(panels, PANELS):
        axes.plot(seconds, table[name].to_numpy() * scale, color="#0f766e", linewidth=1)
        axes.set_ylabel(label)
        axes.margins(x=0)
        axes.set_ylim(bottom=0)
        axes.grid(color="#e5e7eb")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_title(f"Hardware memory, {pathlib.Path(path).name}", loc="left")
    panels[1].set_xlabel("time (s)")
    return fig


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: plot_memory.py RECORDING PICTURE")
    figure(sys.argv[1]).savefig(sys.argv[2], dpi=150)
