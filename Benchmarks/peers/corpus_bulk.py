"""Writes the lines of all *.log and *.txt files of a folder as a bulk body.

corpus_bulk.py FOLDER COUNT: at most COUNT events with `message` and `source`, the file's path below FOLDER.
"""

import json
import pathlib
import sys

folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
files = sorted(path for path in folder.rglob("*") if path.suffix in (".log", ".txt"))
for path in files:
    source = f"/{path.relative_to(folder)}"
    for line in path.read_bytes().decode("utf-8", "replace").split("\n"):
        if not line or count == 0:
            continue
        count -= 1
        print('{"create":{}}')
        print(json.dumps({"message": line, "source": source}, ensure_ascii=False))
