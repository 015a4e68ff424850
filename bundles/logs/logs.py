#!/usr/bin/env python3
"""Every command of the bundle: one request of the AWS command line to CloudWatch Logs, its answer as records."""
import datetime
import json
import os
import subprocess
import sys
import time

CALL = json.loads(os.environ["PIPIT_CALL"])
ARGS, OPTIONS = CALL["args"], CALL["options"]
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
MOST = 10_000


def aws(*words):
    ended = subprocess.run(["aws", "logs", *words, "--output=json"], capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(ended.stderr.strip() or f"aws ended with {ended.returncode}")
    return json.loads(ended.stdout)


def stamp(milliseconds):
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def groups():
    prefix = [f"--log-group-name-prefix={ARGS['PREFIX']}"] if "PREFIX" in ARGS else []
    for group in aws("describe-log-groups", *prefix)["logGroups"]:
        yield {
            "group": group["logGroupName"],
            "bytes": group.get("storedBytes", 0),
            "days": group.get("retentionInDays"),
            "created": stamp(group["creationTime"]),
        }


def search():
    last, limit = OPTIONS.get("last", "1h"), OPTIONS.get("limit", 1000)
    if not 0 < limit <= MOST:
        sys.exit(f"--limit is from 1 to {MOST}")
    since = int((time.time() - int(last[:-1]) * UNITS[last[-1]]) * 1000)
    # a word in quotes is searched as it is; a quote cannot be part of one
    words = " ".join('"' + word.replace('"', "") + '"' for word in ARGS.get("WORD", []))
    pattern = " ".join(part for part in (words, OPTIONS.get("pattern", "")) if part)
    command = ["filter-log-events", f"--log-group-name={ARGS['GROUP']}", f"--start-time={since}", f"--max-items={limit}"]
    for event in aws(*command, *([f"--filter-pattern={pattern}"] if pattern else []))["events"]:
        yield {"time": stamp(event["timestamp"]), "stream": event["logStreamName"], "text": event["message"].rstrip("\n")}


for value in groups() if os.environ["PIPIT_COMMAND"] == "groups" else search():
    print(json.dumps(value, ensure_ascii=False), flush=True)
