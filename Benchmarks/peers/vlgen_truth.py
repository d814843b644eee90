#!/usr/bin/env python3
"""The exact answers to the 27 questions about vlgen's events, computed from the bulk NDJSON and from nothing else.

usage: vlgen_truth.py BULK.ndjson ANSWERS.json

An answer is a map from a key (the values of the grouping fields joined by '|', the message of a row, or '') to numbers.
The two identifiers to look for are those of the data set's README, or, when the events do not hold them, others that
are taken from the middle of the events.
"""
import collections
import heapq
import json
import re
import sys
from datetime import datetime

NEEDLE = "1075ff43a3af2e819a032288ed5e3836"
TRACE = "ac56ab017e54a7e7c3145e4244d83e9e"
NUMBER = re.compile(
    r"(?<![0-9A-SU-WYZ_a-gi-ln-rtuwyz])(?:[0-9]+|(?:[0-9a-fA-F]{2}){2,})(?![0-9A-SU-Y_a-gi-lo-rtv-z])", re.ASCII
)
UPSTREAM = re.compile(r"\bupstream\b", re.ASCII)
LOCK = re.compile(r"lock on topic (orders|payments)-1[0-9],")
NO_LITERAL = re.compile(r"[0-9]{3}\.[0-9]{2}\.[0-9]{3}\.[0-9]{2}:")
HITS = re.compile(r"returned ([0-9]+) hits")
PATH = re.compile(r" /(\S*) HTTP")
REQUEST_ID = re.compile(r"req_id=([0-9a-f]{32})")
WINDOW = ("2025-11-20T03:00:00", "2025-11-20T03:05:00")

COUNTED = [
    "q04_absent_word", "q06_common_word", "q07_phrase", "q08_regex_literal", "q09_regex_noliteral", "q10_substring",
    "q11_scan_nohit", "q12_scan_nohit_ci", "q13_count_all", "q18_uniq_users", "q20_numeric_range", "q21_bool",
    "q22_stream_phrase", "q23_5min_window", "q26_export_100k",
]


def events(path):
    with open(path, "rb") as lines:
        for number, line in enumerate(lines):
            if number % 2:
                yield json.loads(line)


def pick_identifiers(path):
    """The README's identifiers if the events hold them, else two from the middle of the events."""
    with open(path, "rb") as file:
        file.seek(0, 2)
        middle = file.tell() // 2
        file.seek(middle)
        file.readline()
        needle = trace = None
        while not (needle and trace):
            line = file.readline()
            if not line:
                break
            if not line.startswith(b'{"@timestamp"'):
                continue
            event = json.loads(line)
            found = REQUEST_ID.search(event["message"])
            needle = needle or (found and found.group(1))
            trace = trace or event.get("trace_id")
    with open(path, "rb") as file:
        has_needle = has_trace = False
        while chunk := file.readlines(1 << 24):
            block = b"".join(chunk)
            has_needle = has_needle or NEEDLE.encode() in block
            has_trace = has_trace or TRACE.encode() in block
    return (NEEDLE if has_needle else needle or NEEDLE), (TRACE if has_trace else trace or TRACE)


def main(source, target):
    needle, trace = pick_identifiers(source)
    count = collections.Counter({name: 0 for name in COUNTED})
    groups = collections.defaultdict(collections.Counter)
    rows = collections.defaultdict(collections.Counter)
    users = set()
    durations = collections.defaultdict(list)
    hits = collections.defaultdict(list)
    newest = []
    total = 0
    for number, event in enumerate(events(source)):
        total += 1
        message = event["message"]
        level = event["level"]
        time = event["@timestamp"]
        names = event["kubernetes"]
        if needle in message:
            rows["q01_needle_msg"][message] += 1
        if event.get("trace_id") == trace:
            rows["q02_needle_field"][message] += 1
        if trace in message or any(trace in str(value) for value in event.values()):
            rows["q03_needle_anyfield"][message] += 1
        count["q04_absent_word"] += "qqzzxxyy77" in message
        if "zebrafish" in event.get("note", ""):
            rows["q05_rare_word"][message] += 1
        if "upstream" in message and UPSTREAM.search(message):
            count["q06_common_word"] += 1
        count["q07_phrase"] += "context deadline exceeded" in message
        count["q08_regex_literal"] += "lock on topic" in message and bool(LOCK.search(message))
        count["q09_regex_noliteral"] += bool(NO_LITERAL.search(message))
        count["q10_substring"] += "ransien" in message
        count["q11_scan_nohit"] += "q7zzv" in message
        count["q12_scan_nohit_ci"] += "q7zzv" in message.lower()
        count["q13_count_all"] += 1
        groups["q14_by_level"][level] += 1
        minute = time[:16] + ":00Z"
        groups["q16_hist_min_level"][minute + "|" + level] += 1
        duration = event.get("duration_ms")
        if duration is not None:
            durations[event["service"]].append(duration)
            count["q20_numeric_range"] += duration > 1000
        user = event.get("user_id")
        if user is not None:
            users.add(user)
        if level == "ERROR":
            groups["q15_top10_err_pods"][names["pod"]] += 1
            heapq.heappush(newest, (time, number, message))
            if len(newest) > 100:
                heapq.heappop(newest)
            if names["namespace"] == "shop" and "connection refused" not in message:
                count["q21_bool"] += 1
            groups["q27_patterns"][NUMBER.sub("<N>", message)] += 1
        if names["container"] == "payment" and "Unhandled exception" in message:
            count["q22_stream_phrase"] += 1
        if WINDOW[0] <= time < WINDOW[1] and "status=200" in message:
            count["q23_5min_window"] += 1
        found = HITS.search(message) if "returned" in message else None
        if found:
            hits[event["service"]].append(int(found.group(1)))
        if names["container"] == "nginx-ingress":
            found = PATH.search(message)
            if found:
                groups["q25_top_urls"][found.group(1)] += 1
        if names["container"] == "cart":
            count["q26_export_100k"] += 1
    for _, _, message in newest:
        rows["q19_newest100_err"][message] += 1
    count["q18_uniq_users"] = len(users)
    count["q26_export_100k"] = min(count["q26_export_100k"], 100_000)

    answers = {name: {"": [value]} for name, value in count.items()}
    for name in ["q01_needle_msg", "q02_needle_field", "q03_needle_anyfield", "q05_rare_word", "q19_newest100_err"]:
        answers[name] = {key: [value] for key, value in rows[name].items()}
    for name, values in groups.items():
        answers[name] = {key: [value] for key, value in values.items()}
    # Only patterns that can be among the first twenty matter.
    answers["q27_patterns"] = {key: [value] for key, value in groups["q27_patterns"].most_common(200)}
    answers["q16_hist_min_level"] = {
        f"{int(datetime.fromisoformat(key[:19] + '+00:00').timestamp() * 1000)}|{key.split('|')[1]}": [value]
        for key, value in groups["q16_hist_min_level"].items()
    }
    # For each share the numbers on both sides of its border.
    answers["q17_quantiles"] = {}
    for service, values in durations.items():
        values.sort()
        bounds = []
        for share in [0.5, 0.95, 0.99]:
            position = share * (len(values) - 1)
            bounds += [values[max(0, int(position) - 1)], values[min(len(values) - 1, int(position) + 2)]]
        answers["q17_quantiles"][service] = bounds
    answers["q24_extract_agg"] = {key: [max(values), sum(values) / len(values)] for key, values in hits.items()}
    with open(target, "w") as file:
        json.dump({"events": total, "needle": needle, "trace": trace, "answers": answers}, file)


main(sys.argv[1], sys.argv[2])
