"""What recover writes, pyarrow opens: one bit of the metadata is changed, all over the file."""

import pathlib
import subprocess

import pyarrow as pa
import pyarrow.ipc as ipc
import pytest

from conftest import ONISCOPE, ROOT

FOREIGN = ROOT / "testdata" / "foreign"

# Places that are tried in a file; each is a run of the binary.
PLACES = 160


def metadata(data):
    """The bytes of a file that are not bodies: from its start to the first body, and the footer."""
    footer = int.from_bytes(data[-10:-6], "little", signed=True)
    first = ipc.open_file(pa.BufferReader(data))
    end = 8 + int.from_bytes(data[12:16], "little") + 8 + 1024
    assert first.num_record_batches > 0
    return [*range(8, min(end, len(data))), *range(len(data) - 10 - footer, len(data) - 10)]


@pytest.mark.parametrize("name", ["pyarrow/numbers.arrow", "pyarrow/dictionary_deltas_file.arrow", "bonsai/new_MemoryMonitor.arrow"])
def test_recovered_files_open(name, tmp_path):
    data = (FOREIGN / name).read_bytes()
    places = metadata(data)
    failed = []
    for k, at in enumerate(places[:: max(1, len(places) // PLACES)]):
        damaged = bytearray(data)
        damaged[at] ^= (1, 4, 8, 0x80)[k % 4]
        source, output = tmp_path / "in.arrow", tmp_path / "out.arrow"
        source.write_bytes(damaged)
        output.unlink(missing_ok=True)
        done = subprocess.run([ONISCOPE, "recover", source, "-o", output, "--quiet"], capture_output=True, text=True)
        assert done.returncode in (0, 1, 3), (at, done.stderr)
        if done.returncode == 1:
            continue  # refused, with a reason
        try:
            reader = ipc.open_file(pa.BufferReader(output.read_bytes()))
            for i in range(reader.num_record_batches):
                reader.get_batch(i).validate()
        except (pa.ArrowException, OSError) as error:
            failed.append((at, str(error)))
    assert not failed
