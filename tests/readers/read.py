"""Reads a history with the tools that people use, while a ccwatch writes to it.

usage: read.py HISTORY METADATA, with the questions as JSON on standard input: [{"title", "slug", "sql", "parameters"}]

Needs datasette and pandas, and DuckDB with its sqlite extension from the wheel duckdb-extension-sqlite-scanner: what
`INSTALL sqlite` would fetch from extensions.duckdb.org, as a file. DuckDB itself checks who signed it.
"""

import importlib.util
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request

# No proxy of the machine's stands between this and loopback.
os.environ |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

path, metadata = sys.argv[1:]
questions = json.load(sys.stdin)


def connect():
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def grows(count, what):
    """What is counted again and again becomes more: the writer is not held up, and the reader sees what it writes."""
    first = count()
    for _ in range(200):
        if count() > first:
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} sees nothing new")


def by_sqlite3():
    history = connect()
    for question in questions:
        rows = history.execute(question["sql"], question["parameters"]).fetchall()
        assert rows, question["title"]
    grows(lambda: history.execute("SELECT count(*) FROM v_changes").fetchone()[0], "sqlite3")
    print(f"sqlite3 {sqlite3.sqlite_version}: {len(questions)} questions")


def by_pandas():
    import pandas

    requests = pandas.read_sql("SELECT * FROM v_requests", connect(), parse_dates=["started_at", "finished_at"])
    assert str(requests["started_at"].dtype).endswith("UTC]"), requests.dtypes
    assert requests["duration_s"].dtype == float, requests.dtypes
    took = (requests["finished_at"] - requests["started_at"]).dt.total_seconds()
    assert (abs(took - requests["duration_s"]).dropna() < 0.001).all()
    assert requests["duration_s"].count() > 400
    print(f"pandas {pandas.__version__}: {len(requests)} requests")


def by_duckdb():
    import duckdb

    wheel = importlib.util.find_spec("duckdb_extension_sqlite_scanner")
    (extension,) = pathlib.Path(wheel.origin).parent.glob("extensions/*/*.duckdb_extension")
    duck = duckdb.connect()
    duck.execute(f"LOAD '{extension}'")
    duck.execute(f"ATTACH '{path}' AS history (TYPE sqlite, READ_ONLY)")
    rows = duck.execute(
        """
        SELECT type_name, quantile_cont(duration_s::DOUBLE, 0.99) AS p99_s, max(finished_at::TIMESTAMP) AS last
        FROM history.v_requests WHERE duration_s IS NOT NULL GROUP BY ALL ORDER BY p99_s DESC
        """
    ).fetchall()
    assert rows[0][0] == "AWS::RDS::DBInstance" and 300 < rows[0][1] < 400, rows
    grows(lambda: duck.execute("SELECT count(*) FROM history.v_changes").fetchone()[0], "DuckDB")
    print(f"DuckDB {duckdb.__version__}: {len(rows)} types")


def by_datasette():
    served = subprocess.Popen(
        [sys.executable, "-m", "datasette", path, "--metadata", metadata, "--port", "0", "--setting", "sql_time_limit_ms", "5000"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in served.stderr:
            if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            raise AssertionError("datasette ended early")
        base = found[1]

        def get(page, **parameters):
            query = urllib.parse.urlencode(parameters)
            with urllib.request.urlopen(f"{base}/{page}?{query}", timeout=30) as answer:
                return answer.read().decode()

        newest = json.loads(get("history/v_requests.json", _shape="array", _size=2))
        assert len(newest) == 2 and newest[0]["started_at"] > newest[1]["started_at"], newest
        page = get("history/v_requests")
        assert "A Cloud Control request as it stands." in page and "Seconds from" in page
        for question in questions:
            rows = json.loads(get(f"history/{question['slug']}.json", _shape="array", **question["parameters"]))
            assert rows, question["title"]
        count = {"sql": "SELECT count(*) AS changes FROM v_changes", "_shape": "array"}
        grows(lambda: json.loads(get("history.json", **count))[0]["changes"], "datasette")
    finally:
        served.terminate()
        served.wait()
    print(f"datasette: {len(questions)} pages")


by_sqlite3()
by_pandas()
by_duckdb()
by_datasette()
