#!/usr/bin/env python3
"""Every command of the bundle: one request to Prometheus or Alertmanager, and its answer as records."""
import datetime
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

CALL = json.loads(os.environ["PIPIT_CALL"])
ARGS, OPTIONS = CALL["args"], CALL["options"]
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def fail(text):
    sys.exit(text)


def seconds(text):
    return int(text[:-1]) * UNITS[text[-1]]


def stamp(unix):
    return datetime.datetime.fromtimestamp(unix, datetime.timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def ask(base, path, body=None, method=None, **words):
    root = os.environ.get(base, "").rstrip("/")
    if not root:
        fail(f"{base} is not set: bundle set prometheus {base} http://…")
    headers = {"Accept": "application/json"}
    if token := os.environ.get("PROMETHEUS_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    query = "?" + urllib.parse.urlencode(words, doseq=True) if words else ""
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    request = urllib.request.Request(root + path + query, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=25) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")
        try:
            said = json.loads(said)
            said = said.get("error") or said.get("message") or said if isinstance(said, dict) else said
        except ValueError:
            pass
        fail(f"{base[:-4].lower()} refused: {str(said).strip() or error}")
    except (urllib.error.URLError, TimeoutError) as error:
        fail(f"{base[:-4].lower()} does not answer: {getattr(error, 'reason', error)}")
    return json.loads(text) if text else None


def prometheus(path, **words):
    return ask("PROMETHEUS_URL", "/api/v1/" + path, **words)["data"]


def number(text):
    value = float(text)
    # JSON has no NaN and no infinity
    if value != value or abs(value) == float("inf"):
        return text
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def samples(data):
    kind, result = data["resultType"], data["result"]
    if kind in ("scalar", "string"):
        yield {}, result
        return
    for series in result:
        labels = series["metric"]
        for sample in series.get("values") or [series["value"]]:
            yield labels, sample


def show(data):
    for labels, (at, value) in samples(data):
        named = {("name" if key == "__name__" else key): text for key, text in labels.items()}
        yield {**named, "value": number(value), "time": stamp(at)}


def query():
    words = {"time": OPTIONS["at"]} if "at" in OPTIONS else {}
    return show(prometheus("query", query=ARGS["EXPRESSION"], **words))


def over_time():
    last = seconds(OPTIONS.get("last", "1h"))
    step = seconds(OPTIONS["step"]) if "step" in OPTIONS else max(last // 60, 1)
    now = time.time()
    return show(prometheus("query_range", query=ARGS["EXPRESSION"], start=now - last, end=now, step=step))


def labels():
    return prometheus(f"label/{ARGS['LABEL']}/values" if "LABEL" in ARGS else "labels")


def targets():
    for target in prometheus("targets", state="active")["activeTargets"]:
        if ARGS.get("HEALTH") in (None, target["health"]):
            yield {**target["labels"], "health": target["health"], "url": target["scrapeUrl"], "error": target["lastError"]}


def alerts():
    for alert in prometheus("alerts")["alerts"]:
        if ARGS.get("STATE") in (None, alert["state"]):
            told = alert["annotations"].get("summary") or alert["annotations"].get("description")
            yield {**alert["labels"], "state": alert["state"], "since": alert["activeAt"], "summary": told}


def silences():
    for silence in ask("ALERTMANAGER_URL", "/api/v2/silences"):
        if silence["status"]["state"] != "expired":
            matchers = [
                f"{m['name']}{'=' if m.get('isEqual', True) else '!'}{'~' if m['isRegex'] else '' if m.get('isEqual', True) else '='}{m['value']}"
                for m in silence["matchers"]
            ]
            yield {
                "id": silence["id"],
                "matches": " ".join(matchers),
                "by": silence["createdBy"],
                "until": silence["endsAt"],
                "comment": silence["comment"],
            }


def silence():
    now = time.time()
    pairs = (matcher.split("=", 1) for matcher in ARGS["MATCHER"])
    matchers = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in pairs]
    until = stamp(now + seconds(OPTIONS.get("for", "1h")))
    body = {
        "matchers": matchers,
        "startsAt": stamp(now),
        "endsAt": until,
        "createdBy": os.environ["PIPIT_USER"],
        "comment": OPTIONS["comment"],
    }
    made = ask("ALERTMANAGER_URL", "/api/v2/silences", body)
    yield {"id": made["silenceID"], "until": until}


def unsilence():
    ask("ALERTMANAGER_URL", "/api/v2/silence/" + ARGS["ID"], method="DELETE")
    yield f"{ARGS['ID']} has ended"


DO = {
    "query": query,
    "range": over_time,
    "labels": labels,
    "targets": targets,
    "alerts": alerts,
    "silences": silences,
    "silence": silence,
    "unsilence": unsilence,
}
for value in DO[os.environ["PIPIT_COMMAND"]]():
    print(json.dumps(value, ensure_ascii=False), flush=True)
