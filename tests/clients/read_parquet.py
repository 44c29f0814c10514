"""Reads an export as Parquet with DuckDB and compares it, cell by cell, with the same export as JSON lines."""

import datetime
import json
import sys

import duckdb

parquet, lines = sys.argv[1:]
duckdb.sql("SET TimeZone = 'UTC'")
relation = duckdb.sql(f"SELECT * FROM read_parquet('{parquet}')")
types = dict(zip(relation.columns, map(str, relation.types)))


def shown(value):
    if isinstance(value, datetime.datetime):
        value = value.astimezone(datetime.timezone.utc)
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
    return value


read = [dict(zip(relation.columns, map(shown, row))) for row in relation.fetchall()]
with open(lines, encoding="utf-8") as file:
    written = [json.loads(line) for line in file]
assert read == written, f"{read[:1]}\n{written[:1]}"
for row in written[:1]:
    assert list(row) == relation.columns

times = ("_at", "_time", "_after")
for name, type_ in types.items():
    if name in ("at", "since") or name.endswith(times):
        assert type_ == "TIMESTAMP WITH TIME ZONE", (name, type_)
expected = {"duration_s": "DOUBLE", "open": "BOOLEAN", "hooks_total": "BIGINT", "id": "BIGINT", "request_token": "VARCHAR"}
for name, type_ in expected.items():
    assert types.get(name, type_) == type_, (name, types[name])

for codec, in duckdb.sql(f"SELECT DISTINCT compression FROM parquet_metadata('{parquet}')").fetchall():
    assert codec == "SNAPPY", codec
