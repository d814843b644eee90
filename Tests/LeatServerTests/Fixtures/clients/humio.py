"""Uses humiolib, unmodified, as its users do: python3 humio.py http://127.0.0.1:PORT"""
import os
import sys
import tempfile
import time

from humiolib.HumioClient import HumioClient, HumioIngestClient
from humiolib.HumioExceptions import HumioHTTPException, HumioQueryJobExpiredException

url = sys.argv[1]
client = HumioClient(base_url=url, repository="default", user_token="any")

# ingest, of texts and of documents
for number in range(20):
    client.ingest_messages(["text %d" % number], fields={"host": "h"})
client.ingest_json_data([{"tags": {"t": "a"}, "events": [
    {"timestamp": int(time.time() * 1000), "attributes": {"n": n, "inner": {"x": "y"}}} for n in range(5)]}])
HumioIngestClient(ingest_token="any", base_url=url).ingest_messages(["by token"])

assert client.get_status()["status"] == "OK"
assert client.get_users() == []

# streaming
events = list(client.streaming_query("text | select([@rawstring, host])", start="1h"))
assert len(events) == 20, len(events)
assert {e["host"] for e in events} == {"h"}
assert list(client.streaming_query("inner.x=y | count()", start="1h")) == [{"_count": "5"}]
assert list(client.streaming_query("count(as=?name)", start="1h", arguments={"name": "c"}))[0]["c"] == "26"
try:
    list(client.streaming_query("cont()"))
    raise SystemExit("a bad query was answered")
except HumioHTTPException as fault:
    assert fault.status_code == 400 and "count" in fault.message, fault.message

# query jobs
job = client.create_queryjob("text", start="1h")
polls = list(job.poll_until_done())
assert len(polls) == 1 and len(polls[0].events) == 20
job = client.create_queryjob("timechart()", start="24h")
assert len(list(job.poll_until_done())[0].events) in (97, 98)
live = client.create_queryjob("text | count()", start="1h", is_live=True)
assert live.poll().events == [{"_count": "20"}]
client.ingest_messages(["text more"])
assert live.poll().events == [{"_count": "21"}]
tail = client.create_queryjob("text", start="1h", is_live=True)
assert len(tail.poll().events) == 21
client.ingest_messages(["text most"])
assert len(tail.poll().events) == 22
gone = client.create_queryjob("*", start="1h")
gone.query_id = "P1-nothing"
try:
    gone.poll()
    raise SystemExit("an unknown job was answered")
except HumioQueryJobExpiredException:
    pass

# files
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "codes.csv")
    with open(path, "w") as file:
        file.write("n,word\n1,one\n2,two\n")
    client.upload_file(path)
assert client.get_file("codes.csv", encoding="utf-8") == "n,word\n1,one\n2,two\n"
words = sorted(e["word"] for e in client.streaming_query('match("codes.csv", field=n) | select(word)', start="1h"))
assert words == ["one", "two"], words
client.create_file("made.csv")
client.add_file_contents("made.csv", ["k", "v"], [["a", "1"], ["b", "2"]])
content = client.get_file_content("made.csv")["getFileContent"]
assert content["headers"] == ["k", "v"] and content["lines"] == [["a", "1"], ["b", "2"]], content
client.remove_file_contents("made.csv", offset=0, limit=1)
assert client.get_file_content("made.csv")["getFileContent"]["lines"] == [["b", "2"]]
assert sorted(f["nameAndPath"]["name"] for f in client.list_files()) == ["codes.csv", "made.csv"]
client.delete_file("made.csv")
assert [f["nameAndPath"]["name"] for f in client.list_files()] == ["codes.csv"]

# saved queries
made = client.create_saved_query("texts", "text | count()")["createSavedQuery"]["savedQuery"]
assert list(client.streaming_query("$texts()", start="1h")) == [{"_count": "22"}]
client.update_saved_query(made["id"], "texts2", "text | count(as=n)")
listed = client.list_saved_queries()
assert [(q["name"], q["query"]["queryString"]) for q in listed] == [("texts2", "text | count(as=n)")], listed
client.delete_saved_query(made["id"])
assert client.list_saved_queries() == []
print("humiolib: %s of 28" % list(client.streaming_query("* | count()", start="1h"))[0]["_count"])
print("delivered: humiolib")
