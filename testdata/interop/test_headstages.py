"""pyarrow on what the recorder wrote of every headstage: schema, batches and every value."""

import formulas
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest
from conftest import oniscope

# Headstage of port A and of port B: the streams that must be there.
RIGS = {
    ("neuropixels-2.0e", "neuropixels-2.0e-beta"): [
        "port-a-neuropixels-2.0e-probe-a", "port-a-neuropixels-2.0e-probe-b",
        "port-b-neuropixels-2.0e-beta-probe-a", "port-b-neuropixels-2.0e-beta-probe-b",
    ],
    ("headstage-64", "rhs2116"): [
        "port-a-rhd2164", "port-a-bno055", "port-a-ts4231",
        "port-b-rhs2116-a", "port-b-rhs2116-b", "port-b-rhs2116-trigger",
    ],
    ("neuropixels-1.0f", "nric1384"): [
        "port-a-neuropixels-1.0f-probe-a", "port-a-neuropixels-1.0f-probe-b", "port-a-bno055", "port-a-ts4231",
        "port-b-nric1384", "port-b-bno055",
    ],
}

NUMPY = {"u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64", "i2": "int16", "i4": "int32", "f4": "float", "f8": "double"}

# unit and scale of a member in a kind (onix-devices 9.3); the offset is the middle of the codes.
PHYSICAL = {
    ("neuropixels-2.0e", "AmplifierData"): ("uV", 3.05176, 2048),
    ("neuropixels-2.0e-beta", "AmplifierData"): ("uV", 0.76294, 8192),
    ("rhd2164", "AmplifierData"): ("uV", 0.195, 32768),
    ("rhd2164", "AuxData"): ("V", 37.4e-6, 0),
    ("rhs2116", "AmplifierData"): ("uV", 0.195, 32768),
    ("rhs2116", "DCData"): ("mV", -19.23, 512),
    ("neuropixels-1.0f", "SpikeData"): ("uV", 1.171875, 512),
    ("neuropixels-1.0f", "LfpData"): ("uV", 23.4375, 512),
    ("nric1384", "SpikeData"): ("uV", 1.171875, 512),
    ("nric1384", "LfpData"): ("uV", 23.4375, 512),
}


@pytest.fixture(scope="module", params=RIGS, ids=" and ".join)
def run(request, tmp_path_factory):
    """The folder of a recording of two headstages, and the streams that it must have."""
    a, b = request.param
    folder = tmp_path_factory.mktemp("headstages")
    rig = folder / "rig.yaml"
    rig.write_text(f"driver: sim\npace: max\nsignal: pattern\nports: {{a: {{headstage: {a}}}, b: {{headstage: {b}}}}}\n")
    out = folder / "run"
    oniscope("record", "--rig", rig, "--out", out, "--duration", "1.1s", "--quiet")
    return out, RIGS[request.param]


def opened(folder, stream):
    return pa.ipc.open_file(pa.memory_map(str(folder / f"{stream}_0.arrow")))


def test_every_stream_of_the_headstages_is_there(run):
    folder, streams = run
    assert sorted(p.name for p in folder.glob("port-*.arrow")) == sorted(f"{s}_0.arrow" for s in streams)


def test_schemas_are_those_of_the_reference(run):
    folder, streams = run
    for stream in streams:
        schema, kind = opened(folder, stream).schema, formulas.kind(stream)
        assert schema.names == formulas.columns(stream), stream
        for field in schema:
            family, _ = formulas.split(field.name)
            assert str(field.type) == NUMPY[formulas.TYPES[kind][family]], f"{stream} {field.name}"
            assert not field.nullable
            if (kind, family) in PHYSICAL:
                unit, scale, offset = PHYSICAL[kind, family]
                facts = {k.decode(): v.decode() for k, v in field.metadata.items()}
                assert (facts["unit"], float(facts["scale"]), float(facts.get("offset", "0"))) == (unit, scale, offset), f"{stream} {field.name}"


def test_every_value_follows_its_formula(run):
    folder, streams = run
    for stream in streams:
        file = opened(folder, stream)
        address = int(file.schema.metadata[b"device_address"])
        table = file.read_all()
        table.validate(full=True)
        assert table.num_rows > 0, stream
        for column in table.column_names:
            values = table[column].to_numpy()
            want = formulas.expected(stream, column, 0, len(values), address)
            assert values.dtype == want.dtype and np.array_equal(values, want), f"{stream} {column}"


def test_batches_have_the_originals_rows(run):
    folder, streams = run
    for stream in streams:
        file = opened(folder, stream)
        sizes = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
        full = formulas.BATCH_ROWS.get(formulas.kind(stream))
        if full:
            assert len(sizes) > 1 and set(sizes[:-1]) == {full} and sizes[-1] <= full, f"{stream} {sizes}"


def test_the_files_verify(run):
    folder, streams = run
    for stream in streams:
        oniscope("verify", "--quiet", folder / f"{stream}_0.arrow")
