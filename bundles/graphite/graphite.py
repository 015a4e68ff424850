#!/usr/bin/env python3
"""Every command of the bundle: one request to Graphite's render or find interface, and its answer as values."""
import base64
import datetime
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

CALL = json.loads(os.environ["PIPIT_CALL"])
ARGS, OPTIONS = CALL["args"], CALL["options"]


def ask(path, **words):
    headers = {}
    if user := os.environ.get("GRAPHITE_USER"):
        pair = f"{user}:{os.environ.get('GRAPHITE_PASSWORD', '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    address = f"{os.environ['GRAPHITE_URL'].rstrip('/')}/{path}?{urllib.parse.urlencode(words)}"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=25) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        # the page of an error is for browsers; what it says first is enough
        said = error.read(2000).decode(errors="replace")
        sys.exit(f"graphite refused: {error.code} {'' if said.lstrip().startswith('<') else said.strip() or error.reason}".strip())
    except (urllib.error.URLError, TimeoutError) as error:
        sys.exit(f"graphite does not answer: {getattr(error, 'reason', error)}")


def series(last):
    for one in ask("render", target=ARGS["TARGET"], format="json", noNullPoints="true", **{"from": f"-{last}"}):
        yield one["target"], [(value, at) for value, at in one["datapoints"] if value is not None]


def record(target, value, at):
    time = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return {"target": target, "value": whole(value), "time": time.strftime("%Y-%m-%dT%H:%M:%SZ")}


def whole(value):
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else value


def main():
    command = os.environ["PIPIT_COMMAND"]
    if command == "find":
        found = ask("metrics/find", query=ARGS.get("PATTERN", "*"), format="completer")["metrics"]
        for metric in found:
            yield {"target": metric["path"].rstrip("."), "leaf": metric["is_leaf"] == "1"}
        return
    for target, points in series(OPTIONS.get("last", "1h" if command == "data" else "5min")):
        if command == "graphite":
            yield from (whole(value) for value, _ in points)
        elif command == "data":
            yield from (record(target, value, at) for value, at in points)
        elif points:
            yield record(target, *points[-1])


for value in main():
    print(json.dumps(value), flush=True)
