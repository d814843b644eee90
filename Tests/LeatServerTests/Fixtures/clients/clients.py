"""Real clients, unmodified, against a running server: python3 clients.py HOST:PORT

Needs: humiolib elasticsearch opensearch-py opentelemetry-exporter-otlp-proto-http python-logging-loki
Each sends N events of its own; at the end every event must be found exactly once.
"""
import json
import logging
import sys
import time
import urllib.request

N = 1000
address = sys.argv[1]
base = f"http://{address}"


def count(text):
    body = json.dumps({"queryString": f'"{text}" | count()', "start": "all"}).encode()
    request = urllib.request.Request(f"{base}/api/v1/repositories/default/query", body)
    return int(json.loads(urllib.request.urlopen(request).read())["_count"])


def expect(name, found, wanted=N):
    print(f"{name}: {found} of {wanted}")
    if found != wanted:
        sys.exit(f"{name}: {found} events, not {wanted}")


def with_elasticsearch():
    from elasticsearch import Elasticsearch, helpers

    client = Elasticsearch(base, http_compress=True)
    assert client.ping() and client.info()["version"]["number"]
    documents = lambda name: ({"_op_type": "create", "_index": "py-2026.11.20", "message": f"{name} {i}"} for i in range(N))
    assert helpers.bulk(client, documents("es-bulk"), refresh=True)[0] == N
    assert sum(ok for ok, _ in helpers.streaming_bulk(client, documents("es-streaming"))) == N
    assert sum(ok for ok, _ in helpers.parallel_bulk(client, documents("es-parallel"), chunk_size=50)) == N
    for name in ["es-bulk", "es-streaming", "es-parallel"]:
        expect(name, count(name))


def with_opensearch():
    from opensearchpy import OpenSearch, helpers

    client = OpenSearch([base])
    actions = ({"_index": "os", "message": f"opensearch {i}"} for i in range(N))
    assert helpers.bulk(client, actions)[0] == N
    expect("opensearch", count("opensearch"))


def with_humiolib():
    from humiolib.HumioClient import HumioClient, HumioIngestClient

    ingest = HumioIngestClient(base_url=base, ingest_token="none")
    ingest.ingest_messages([f"humio-text {i}" for i in range(N)], fields={"host": "h"}, tags={"source": "humiolib"})
    ingest.ingest_json_data(
        [{"tags": {}, "events": [{"timestamp": int(time.time() * 1000), "attributes": {"text": f"humio-json {i}"}} for i in range(N)]}]
    )
    client = HumioClient(base_url=base, repository="default", user_token="none")
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
    expect("humio-text", count("humio-text"))
    expect("humio-json", count("humio-json"))


def with_opentelemetry():
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider()
    exporter = OTLPLogExporter(endpoint=f"{base}/v1/logs", compression=Compression.Gzip)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = logging.getLogger("otlp")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(LoggingHandler(logger_provider=provider))
    for i in range(N):
        logger.info("opentelemetry %d", i)
    provider.shutdown()
    expect("opentelemetry", count("opentelemetry"))


def with_loki():
    import logging_loki

    logger = logging.getLogger("loki")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(logging_loki.LokiHandler(url=f"{base}/loki/api/v1/push", tags={"app": "test"}, version="1"))
    for i in range(50):
        logger.info("loki-line %d", i)
    expect("loki", count("loki-line"), 50)


for run in [with_elasticsearch, with_opensearch, with_humiolib, with_opentelemetry, with_loki]:
    run()
print("all clients delivered")
