"""Parquet of random tables: what pyarrow gives back of the file that oniscope wrote is what it gives back of its own."""

import json
import pathlib
import subprocess

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import pytest
import random_tables
from conftest import ONISCOPE, oniscope

TABLES = 301
# Each refusal is for what Parquet does not have.
MOST_REFUSED = 20
REASONS = ("Parquet has no unions", "Parquet has no intervals")


def without_runs(table):
    """Runs written out: pyarrow does not write them as Parquet."""
    columns = []
    for column in table.columns:
        if pa.types.is_run_end_encoded(column.type):
            column = pa.chunked_array([pa.compute.run_end_decode(chunk) for chunk in column.chunks], column.type.value_type)
        columns.append(column)
    return pa.table(columns, names=table.column_names)


def same(a, b):
    """Two columns with the same values, their types aside."""
    return a.combine_chunks().equals(b.combine_chunks()) or a.to_pylist() == b.to_pylist()


def test_random_tables(tmp_path):
    refused, wrong = [], []
    for seed in range(TABLES):
        table = random_tables.table(seed)
        source, ours, theirs = (tmp_path / f"{seed}.{name}" for name in ("arrow", "parquet", "pyarrow.parquet"))
        options = pa.ipc.IpcWriteOptions(compression=[None, "zstd", "lz4"][seed % 3])
        with pa.OSFile(str(source), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=options) as writer:
            writer.write_table(table)
        done = subprocess.run([ONISCOPE, "export", source, "-o", ours], capture_output=True, text=True)
        if done.returncode != 0:
            refused.append((seed, done.stderr.strip()))
            continue
        got = pq.read_table(ours)
        try:
            pq.write_table(without_runs(table), theirs)
            want = pq.read_table(theirs)
        except pa.ArrowNotImplementedError:  # pyarrow writes no null among the words of a dictionary, and cuts no binary views
            want = table
        for name in table.column_names:
            a, b = got[name], want[name]
            if a.type != b.type and want is not table:
                wrong.append(f"table {seed}, {name}, {table[name].type}: {a.type}, pyarrow gives {b.type}")
            elif not same(a, b):
                wrong.append(f"table {seed}, {name}, {table[name].type}: values differ: {a.to_pylist()[:5]} {b.to_pylist()[:5]}")
    assert not wrong, f"{len(wrong)} columns\n" + "\n".join(wrong[:20])
    assert len(refused) <= MOST_REFUSED, f"{len(refused)} tables are refused\n" + "\n".join(f"{s}: {m}" for s, m in refused[:20])
    for seed, message in refused:
        assert any(reason in message for reason in REASONS) and 'column "c' in message, f"table {seed}: {message}"


def test_a_dictionary_of_numbers_alone(tmp_path):
    table = pa.table({"c": pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 0], pa.int8()), pa.array([5, 6], pa.int64()))})
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    oniscope("export", tmp_path / "t.arrow", "-o", tmp_path / "t.parquet")
    assert pq.read_table(tmp_path / "t.parquet")["c"].to_pylist() == [5, None, 6, 5]


@pytest.mark.parametrize("kind", ["union", "interval"])
def test_what_parquet_has_not_is_refused_with_column_and_type(tmp_path, kind):
    values = {"union": pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])]),
              "interval": pa.array([(1, 2, 3)] * 2, pa.month_day_nano_interval())}[kind]
    table = pa.table({"n": [1, 2], "odd": values})
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    done = subprocess.run([ONISCOPE, "export", tmp_path / "t.arrow", "-o", tmp_path / "t.parquet"], capture_output=True, text=True)
    assert done.returncode == 1 and 'column "odd" is of type ' in done.stderr and f"Parquet has no {kind}s" in done.stderr, done.stderr
    assert not (tmp_path / "t.parquet").exists()


FIELD = pathlib.Path(__file__).parent.parent / "field"
TWINS = {path.stem: json.loads(path.read_text()) for path in FIELD.glob("*.json")}


@pytest.mark.parametrize("name", [name for name, twin in TWINS.items() if "parquet" in twin])
def test_files_of_the_field_have_the_types_that_their_twins_say(tmp_path, name):
    oniscope("export", FIELD / f"{name}.arrow", "-o", tmp_path / "t.parquet")
    assert {field.name: str(field.type) for field in pq.read_table(tmp_path / "t.parquet").schema} == TWINS[name]["parquet"]
