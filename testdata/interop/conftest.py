"""Records the simulated rig once for all tests, plain and zstd."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ONISCOPE = os.environ.get("ONISCOPE", str(ROOT / "bin" / "oniscope"))
RIG = ROOT / "testdata" / "interop" / "pattern.yaml"

# Two whole batches of the probe and a part of a third.
DURATION = "2.5s"


def oniscope(*args, exit_code=0):
    """Runs the binary and returns what it printed; any other exit code is an error."""
    done = subprocess.run([ONISCOPE, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == exit_code, f"oniscope {args}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session", params=["none", "zstd"])
def recording(request, tmp_path_factory):
    """The folder of a recording; its name is the compression."""
    folder = tmp_path_factory.mktemp("recording") / request.param
    oniscope("record", "--driver", "sim", "--rig", RIG, "--out", folder,
             "--duration", DURATION, "--compression", request.param, "--quiet")
    return folder
