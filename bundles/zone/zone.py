#!/usr/bin/env python3
"""Every command of the bundle: questions put by kdig, its answers (RFC 8427) as flat records."""
import ipaddress
import json
import os
import subprocess
import sys
import urllib.parse

CALL = json.loads(os.environ["PIPIT_CALL"])
ARGS, OPTIONS = CALL["args"], CALL["options"]
NAMED = {
    "MX": ("preference", "exchange"),
    "SOA": ("primary", "mail", "serial", "refresh", "retry", "expire", "minimum"),
    "SRV": ("priority", "weight", "port", "target"),
    "CAA": ("flags", "tag", "ca"),
}
# RFC 1035, 4.1.1
CODES = {1: "it found the question malformed", 2: "it failed", 4: "it does not do that", 5: "it refused"}


def ask(name, kind, server=None):
    command = ["kdig", "+json", "+timeout=5", "+retry=1"]
    if server:
        command.append(f"@{server}")
    elif address := os.environ.get("DNS_SERVER_URL"):
        url = urllib.parse.urlsplit(address)
        command += [f"@{url.hostname}", "-p", str(url.port or 53)]
    ended = subprocess.run([*command, "-q", name, "-t", kind], capture_output=True, text=True, check=False)
    try:
        answer = json.loads(ended.stdout)
    except ValueError:
        told = (ended.stderr or ended.stdout).strip().splitlines()
        sys.exit(f"no name server answered for {name}: {told[-1].lstrip('; ') if told else 'kdig said nothing'}")
    # 3 is NXDOMAIN: the name is not there
    if answer["RCODE"] not in (0, 3):
        sys.exit(f"the name server did not answer for {name}: {CODES.get(answer['RCODE'], answer['RCODE'])}")
    if answer["RCODE"] == 3:
        sys.exit(f"there is no {name}")
    return answer.get("answerRRs", [])


def records(found):
    for record in found:
        kind = record.get("TYPEname", str(record["TYPE"]))
        value = record.get(f"rdata{kind}", record.get("RDATAHEX", ""))
        if isinstance(value, list):
            value = " ".join(value)
        flat = {"name": record["NAME"].rstrip("."), "type": kind, "ttl": record["TTL"], "value": value}
        for field, part in zip(NAMED.get(kind, ()), str(value).split()):
            flat[field] = int(part) if part.isdigit() else part.rstrip(".")
        if kind in ("CNAME", "NS", "PTR"):
            flat["value"] = value.rstrip(".")
        yield flat


def main():
    command = os.environ["PIPIT_COMMAND"]
    if command == "lookup":
        return records(ask(ARGS["NAME"], ARGS.get("TYPE", "a"), OPTIONS.get("server")))
    try:
        name = ipaddress.ip_address(ARGS["ADDRESS"]).reverse_pointer
    except ValueError:
        sys.exit(f"{ARGS['ADDRESS']} is not an address")
    return records(ask(name, "ptr"))


for value in main():
    print(json.dumps(value), flush=True)
