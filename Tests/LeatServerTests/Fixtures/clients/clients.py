"""Real clients, unmodified, against a running server: python3 clients.py NAME…

Ports come from the environment: LEAT_HTTP, LEAT_SYSLOG_TCP, LEAT_SYSLOG_UDP, LEAT_FORWARD. Each client sends N events of
its own; then every event must be found exactly once, and nothing else.
"""
import asyncio
import json
import logging
import logging.handlers
import os
import socket
import sys
import time
import urllib.request

N = 1000
port = int(os.environ["LEAT_HTTP"])
base = f"http://127.0.0.1:{port}"
numbers = set(range(N))


def found(text):
    """The numbers behind `text`, each as often as it is stored."""
    query = f'"{text}" | regex("{text} (?<seq>[0-9]+)") | groupBy(seq, limit=max)'
    body = json.dumps({"queryString": query, "start": "all"}).encode()
    request = urllib.request.Request(
        f"{base}/api/v1/repositories/default/query", body, {"Accept": "application/x-ndjson"}
    )
    rows = [json.loads(line) for line in urllib.request.urlopen(request).read().splitlines()]
    return {int(row["seq"]): int(row["_count"]) for row in rows}


def expect(text, wanted=None, within=30):
    """Waits for every number, then checks that none is missing or doubled."""
    wanted = numbers if wanted is None else set(wanted)
    end = time.time() + within
    while set(found(text)) != wanted and time.time() < end:
        time.sleep(0.05)
    got = found(text)
    missing, strange = wanted - set(got), set(got) - wanted
    doubled = [number for number, count in got.items() if count > 1]
    print(f"{text}: {len(got)} of {len(wanted)}")
    if missing or strange or doubled:
        sys.exit(f"{text}: missing {sorted(missing)[:9]}, strange {sorted(strange)[:9]}, doubled {doubled[:9]}")


def elastic_documents(name, kind="create"):
    return ({"_op_type": kind, "_index": "py-2026.11.20", "message": f"{name} {i}"} for i in range(N))


def elasticsearch_any(version):
    """elasticsearch-py 7, 8 and 9: bulk helpers, streaming, parallel, gzip, single documents, async."""
    from elasticsearch import Elasticsearch, helpers

    client = Elasticsearch([base], http_compress=True)
    assert client.ping() and client.info()["version"]["number"]
    name = f"es{version}"
    assert helpers.bulk(client, elastic_documents(f"{name}-bulk"), refresh=True)[0] == N
    # With refresh all is there when the call returns.
    expect(f"{name}-bulk", within=0)
    streamed = helpers.streaming_bulk(client, elastic_documents(f"{name}-stream", "index"), chunk_size=77)
    assert sum(ok for ok, _ in streamed) == N
    parallel = helpers.parallel_bulk(client, elastic_documents(f"{name}-parallel"), thread_count=4, chunk_size=50)
    assert sum(ok for ok, _ in parallel) == N
    plain = Elasticsearch([base])
    assert helpers.bulk(plain, elastic_documents(f"{name}-plain"))[0] == N
    for i in range(5):
        if version == "7":
            assert plain.index(index="py", body={"message": f"{name}-single {i}"})["result"] == "created"
        else:
            assert plain.index(index="py", document={"message": f"{name}-single {i}"})["result"] == "created"
    asyncio.run(elasticsearch_async(name))
    for part in ["stream", "parallel", "plain", "async"]:
        expect(f"{name}-{part}")
    expect(f"{name}-single", range(5))


async def elasticsearch_async(name):
    from elasticsearch import AsyncElasticsearch
    from elasticsearch.helpers import async_bulk

    client = AsyncElasticsearch([base], http_compress=True)
    assert (await async_bulk(client, list(elastic_documents(f"{name}-async"))))[0] == N
    await client.close()


def elasticsearch7():
    elasticsearch_any("7")


def elasticsearch8():
    elasticsearch_any("8")


def elasticsearch9():
    elasticsearch_any("9")


def opensearch():
    from opensearchpy import OpenSearch, helpers

    for compress in [False, True]:
        client = OpenSearch([base], http_compress=compress)
        name = f"opensearch-{compress}"
        assert helpers.bulk(client, ({"_index": "os", "message": f"{name} {i}"} for i in range(N)))[0] == N
        expect(name)


def humiolib():
    from humiolib.HumioClient import HumioClient, HumioIngestClient

    ingest = HumioIngestClient(base_url=base, ingest_token="none")
    ingest.ingest_messages([f"humio-text {i}" for i in range(N)], fields={"host": "h"}, tags={"source": "humiolib"})
    events = [{"timestamp": int(time.time() * 1000), "attributes": {"text": f"humio-json {i}"}} for i in range(N)]
    ingest.ingest_json_data([{"tags": {}, "events": events}])
    client = HumioClient(base_url=base, repository="default", user_token="none")
    client.ingest_messages([f"humio-user {i}" for i in range(N)])
    assert client.get_status()["status"] == "OK"
    assert len(list(client.streaming_query('"humio-text"', start="24h"))) == N
    job = client.create_queryjob('"humio-json" | count()', is_live=False, start="24h")
    answers = [result.events for result in job.poll_until_done()]
    assert answers[-1][0]["_count"] == str(N), answers[-1]
    live = client.create_queryjob('"humio-live"', is_live=True, start="1h")
    assert live.poll().events == []
    ingest.ingest_messages(["humio-live"])
    assert len(live.poll().events) == 1
    del live
    for name in ["humio-text", "humio-json", "humio-user"]:
        expect(name)


def logs_of(name, handler, count=N):
    """Writes `count` lines through a logging handler."""
    logger = logging.getLogger(name)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    for i in range(count):
        logger.info("%s %d", name, i)


def opentelemetry():
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    for name, compression in [("otlp-gzip", Compression.Gzip), ("otlp-plain", Compression.NoCompression)]:
        provider = LoggerProvider()
        exporter = OTLPLogExporter(endpoint=f"{base}/v1/logs", compression=compression)
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
        logs_of(name, LoggingHandler(logger_provider=provider))
        provider.shutdown()
        expect(name)


def loki():
    import logging_loki

    handler = logging_loki.LokiHandler(url=f"{base}/loki/api/v1/push", tags={"app": "test"}, version="1")
    logs_of("loki-line", handler, 50)
    expect("loki-line", range(50))


def splunk():
    from splunk_handler import SplunkHandler

    handler = SplunkHandler(
        host="127.0.0.1", port=port, token="none", index="main", protocol="http", verify=False, flush_interval=0.5
    )
    logs_of("splunk-line", handler)
    handler.force_flush()
    expect("splunk-line")


def fluent():
    from fluent import sender

    client = sender.FluentSender("app", host="127.0.0.1", port=int(os.environ["LEAT_FORWARD"]), nanosecond_precision=True)
    for i in range(N):
        assert client.emit("web", {"message": f"fluent-logger {i}", "n": {"i": i}}), client.last_error
    client.close()
    expect("fluent-logger")


def syslog():
    """Python's own handler: messages end with a zero byte over TCP, and come one a datagram over UDP."""
    tcp = logging.handlers.SysLogHandler(
        ("127.0.0.1", int(os.environ["LEAT_SYSLOG_TCP"])), socktype=socket.SOCK_STREAM
    )
    logs_of("python-syslog-tcp", tcp)
    tcp.close()
    udp = logging.handlers.SysLogHandler(("127.0.0.1", int(os.environ["LEAT_SYSLOG_UDP"])))
    logs_of("python-syslog-udp", udp, 200)
    udp.close()
    expect("python-syslog-tcp")
    expect("python-syslog-udp", range(200))


for name in sys.argv[1:]:
    globals()[name]()
    print(f"delivered: {name}", flush=True)
