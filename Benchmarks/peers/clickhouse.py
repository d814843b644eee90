#!/usr/bin/env python3
"""ClickHouse (chdb, in process) over vlgen's events: a typed table as one writes it by hand.

usage: clickhouse.py FOLDER BULK.ndjson RUNS < questions

Reads one JSON object {"id", "sql"} a line and answers each with one line
{"id", "milliseconds": [..], "cpuMilliseconds": .., "rows": [..] or null, "byteCount": .., "error": ..}; the first line
of the output tells of loading. The cache of query conditions is off, so that repeated questions are answered anew.
"""
import json
import os
import resource
import sys
import time

from chdb import session as chs

TABLE = """
CREATE TABLE events (
    ts DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)), namespace LowCardinality(String), pod LowCardinality(String),
    container LowCardinality(String), node LowCardinality(String), service LowCardinality(String),
    region LowCardinality(String), level LowCardinality(String), message String CODEC(ZSTD(1)),
    job LowCardinality(String), records Nullable(Int64), duration_ms Nullable(Float64) CODEC(ZSTD(1)),
    stream LowCardinality(String), status Nullable(Int32), bytes Nullable(Int64), thread LowCardinality(String),
    trace_id String CODEC(ZSTD(1)), user_id String CODEC(ZSTD(1)), span_id String CODEC(ZSTD(1)),
    note String CODEC(ZSTD(1)),
    INDEX words message TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1,
    INDEX traces trace_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree ORDER BY (container, ts)
"""

LOAD = """
INSERT INTO events SELECT
    parseDateTime64BestEffort(JSONExtractString(line, '@timestamp'), 6, 'UTC'),
    k.1, k.2, k.3, k.4, d.1, d.2, d.3, d.4, d.5, d.6, d.7, d.8, d.9, d.10, d.11, d.12, d.13, d.14, d.15
FROM (
    SELECT line,
        JSONExtract(line, 'kubernetes', 'Tuple(namespace String, pod String, container String, node String)') AS k,
        JSONExtract(line, 'Tuple(service String, region String, level String, message String, job String,
            records Nullable(Int64), duration_ms Nullable(Float64), stream String, status Nullable(Int32),
            bytes Nullable(Int64), thread String, trace_id String, user_id String, span_id String, note String)') AS d
    FROM file('{file}', LineAsString, 'line String') WHERE startsWith(line, '{{"@timestamp"')
)
"""


def usage():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(folder, source, runs):
    isLoaded = os.path.exists(folder + "/loaded")
    database = chs.Session(folder + "/data")
    start, cpu = time.monotonic(), usage()
    if not isLoaded:
        database.query("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
        database.query("USE bench")
        database.query(TABLE)
        database.query(LOAD.format(file=source))
        database.query("OPTIMIZE TABLE events FINAL")
        open(folder + "/loaded", "w").close()
    database.query("USE bench")
    database.query("SET use_query_condition_cache = 0")
    print(json.dumps({"id": "load", "seconds": time.monotonic() - start, "cpuSeconds": usage() - cpu}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        answer = {"id": question["id"], "milliseconds": [], "rows": None, "byteCount": 0, "error": None}
        try:
            result = database.query(question["sql"], "JSONEachRow").bytes()
            answer["byteCount"] = len(result)
            if len(result) < 4 << 20:
                answer["rows"] = [json.loads(row) for row in result.splitlines() if row]
            cpu = usage()
            for _ in range(runs):
                start = time.monotonic()
                database.query(question["sql"], "JSONEachRow").bytes()
                answer["milliseconds"].append((time.monotonic() - start) * 1000)
            answer["cpuMilliseconds"] = (usage() - cpu) * 1000 / runs
        except Exception as error:
            answer["error"] = str(error)[:300]
        print(json.dumps(answer), flush=True)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
