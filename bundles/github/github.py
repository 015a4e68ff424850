#!/usr/bin/env python3
"""Every command of the bundle: one request to GitHub's REST interface, and what matters of its answer as records."""
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

CALL = json.loads(os.environ["PIPIT_CALL"])
ARGS, OPTIONS = CALL["args"], CALL["options"]
# a page is at most 100; more than this belongs in a search
PAGES = 3


def ask(path, body=None, method=None, **words):
    words = {name: value for name, value in words.items() if value is not None}
    address = os.environ["GITHUB_API_URL"].rstrip("/") + path + ("?" + urllib.parse.urlencode(words) if words else "")
    headers = {
        "Accept": "application/vnd.github+json, application/json",
        "User-Agent": "pipit",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    if token := os.environ.get("GITHUB_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data, headers, method=method), timeout=25) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        try:
            said = json.load(error)["message"]
        except (ValueError, KeyError, TypeError):
            said = error.reason
        sys.exit(f"github refused: {said} ({error.code})")
    except (urllib.error.URLError, TimeoutError) as error:
        sys.exit(f"github does not answer: {getattr(error, 'reason', error)}")
    return json.loads(text) if text else {}


def pages(path, inside=None, **words):
    for page in range(1, PAGES + 1):
        answer = ask(path, per_page=100, page=page, **words)
        found = answer[inside] if inside else answer
        yield from found
        if len(found) < 100:
            return


def repo():
    name = ARGS["REPO"]
    if "/" not in name:
        owner = os.environ.get("GITHUB_OWNER")
        if not owner:
            sys.exit(f"whose repository is {name}? write OWNER/{name}, or set GITHUB_OWNER")
        name = f"{owner}/{name}"
    return f"/repos/{name}"


def person(user):
    return user["login"] if user else None


def issue(one):
    return {
        "number": one["number"],
        "title": one["title"],
        "state": one["state"],
        "author": person(one["user"]),
        "labels": [label if isinstance(label, str) else label["name"] for label in one["labels"]],
        "updated": one["updated_at"],
        "url": one["html_url"],
    }


def prs():
    for one in pages(repo() + "/pulls", state=ARGS.get("STATE", "open")):
        branches = {"branch": one["head"]["ref"], "into": one["base"]["ref"], "draft": one.get("draft", False)}
        yield issue(one) | branches


def issues():
    wanted = {"state": ARGS.get("STATE", "open"), "labels": OPTIONS.get("label"), "assignee": OPTIONS.get("assignee")}
    # GitHub counts pull requests among the issues
    return (issue(one) for one in pages(repo() + "/issues", **wanted) if "pull_request" not in one)


def search():
    return (issue(one) for one in pages("/search/issues", "items", q=" ".join(ARGS["WORDS"])))


def runs():
    wanted = {"branch": OPTIONS.get("branch"), "status": OPTIONS.get("status")}
    for one in pages(repo() + "/actions/runs", "workflow_runs", **wanted):
        yield {
            "id": one["id"],
            "workflow": one.get("name"),
            "branch": one["head_branch"],
            "status": one["status"],
            "result": one["conclusion"],
            "by": person(one.get("actor")),
            "started": one.get("run_started_at"),
            "url": one["html_url"],
        }


def releases():
    for one in pages(repo() + "/releases"):
        yield {
            "tag": one["tag_name"],
            "name": one["name"],
            "published": one["published_at"],
            "prerelease": one["prerelease"],
            "by": person(one["author"]),
            "url": one["html_url"],
        }


def comment():
    text = f"{' '.join(ARGS['TEXT'])}\n\n— {os.environ['PIPIT_USER']}"
    yield {"url": ask(f"{repo()}/issues/{ARGS['NUMBER']}/comments", {"body": text})["html_url"]}


def merge():
    body = {"merge_method": OPTIONS.get("method", "merge")}
    made = ask(f"{repo()}/pulls/{ARGS['NUMBER']}/merge", body, "PUT")
    yield {"number": ARGS["NUMBER"], "merged": made["merged"], "commit": made["sha"]}


def rerun():
    ask(f"{repo()}/actions/runs/{ARGS['RUN']}/rerun-failed-jobs", {})
    yield f"run {ARGS['RUN']} runs again"


def dispatch():
    body = {"ref": OPTIONS.get("ref", "main"), "inputs": dict(one.split("=", 1) for one in ARGS.get("INPUT", []))}
    ask(f"{repo()}/actions/workflows/{ARGS['WORKFLOW']}/dispatches", body)
    yield f"{ARGS['WORKFLOW']} of {ARGS['REPO']} has been started on {body['ref']}"


DO = {one.__name__: one for one in (prs, issues, search, runs, releases, comment, merge, rerun, dispatch)}
for value in DO[os.environ["PIPIT_COMMAND"]]():
    print(json.dumps(value, ensure_ascii=False), flush=True)
