"""Rates, gaps and RMS of a data set with DuckDB: with_duckdb.py ARCHIVE STREAM PREFIX [--json]

PREFIX is how the columns of the signal begin: SpikeData, AnalogData.
"""

import json
import sys

import archive
import duckdb


SAMPLES = """
CREATE VIEW samples AS
SELECT *, regexp_extract(filename, '{recording}', 1) AS recording
FROM read_parquet('{files}', hive_partitioning = true, hive_types_autocast = false, filename = true)
"""


def ask(folder, sql):
    """Runs a query over all files of a stream."""
    files = str(folder / "hour=*" / "*.parquet").replace("'", "''")
    with duckdb.connect() as db:
        db.execute(SAMPLES.format(recording=archive.RECORDING, files=files))
        found = db.execute(sql)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row)) for row in found.fetchall()]


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    answers = archive.answer(*sys.argv[1:4], ask)
    print(json.dumps(answers)) if "--json" in sys.argv else archive.show(answers)
