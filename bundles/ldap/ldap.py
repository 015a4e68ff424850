#!/usr/bin/env python3
"""Every command of the bundle: one search, done by ldapsearch, its entries (LDIF, RFC 2849) as records."""
import base64
import json
import os
import subprocess
import sys

CALL = json.loads(os.environ["PIPIT_CALL"])
ARGS, OPTIONS = CALL["args"], CALL["options"]
MOST = 1000


def escaped(text, stars=False):
    """A text in a filter (RFC 4515): what would be syntax is written as its number."""
    special = "\\()\0" if stars else "\\()\0*"
    return "".join(f"\\{ord(letter):02x}" if letter in special else letter for letter in text)


def search(words, attributes=()):
    limit = OPTIONS.get("limit", MOST)
    if not 0 < limit <= MOST:
        sys.exit(f"--limit is from 1 to {MOST}")
    command = ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-o", "nettimeout=10", "-l", "20", "-z", str(limit)]
    command += ["-H", os.environ["LDAP_URL"], "-b", os.environ["LDAP_BASE"]]
    given = None
    if name := os.environ.get("LDAP_BIND"):
        # by a pipe: an argument could be read by every process of the machine
        reading, writing = os.pipe()
        os.write(writing, os.environ.get("LDAP_PASSWORD", "").encode())
        os.close(writing)
        given = reading
        command += ["-D", name, "-y", f"/dev/fd/{reading}"]
    ended = subprocess.run(
        [*command, "--", words, *attributes],
        capture_output=True,
        check=False,
        pass_fds=[given] if given is not None else [],
    )
    # 4: there are more than were asked for; 32: there is nothing at this base
    if ended.returncode not in (0, 4):
        told = ended.stderr.decode(errors="replace").strip().splitlines()
        sys.exit(f"the directory refused: {'; '.join(told) or ended.returncode}")
    return entries(ended.stdout.decode(errors="replace"))


def entries(ldif):
    for block in ldif.split("\n\n"):
        record = {}
        for line in block.splitlines():
            name, _, value = line.partition(":")
            if not name or name.startswith("#"):
                continue
            if value.startswith(":"):
                value = base64.b64decode(value[1:].strip()).decode(errors="replace")
            value = value.strip()
            if name in record:
                record[name] = [*(record[name] if isinstance(record[name], list) else [record[name]]), value]
            else:
                record[name] = value
        if record:
            yield record


def members():
    group = escaped(ARGS["GROUP"])
    kinds = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))"
    for found in search(f"(&{kinds}(cn={group}))", ["member", "uniqueMember", "memberUid"]):
        for name in ("member", "uniqueMember", "memberUid"):
            value = found.get(name, [])
            for member in value if isinstance(value, list) else [value]:
                # uid=ada,ou=people,…: what a person is called is in front
                uid = member.split(",")[0].partition("=")[2] or member
                yield {"uid": uid, "dn": member} if "=" in member else {"uid": uid}


def main():
    command = os.environ["PIPIT_COMMAND"]
    if command == "search":
        return search(ARGS["FILTER"], ARGS.get("ATTRIBUTE", []))
    if command == "members":
        return members()
    name = escaped(ARGS["NAME"], stars=True)
    return search(f"(&(objectClass=person)(|(uid={name})(cn={name})(sn={name})(mail={name})))")


for value in main():
    print(json.dumps(value, ensure_ascii=False), flush=True)
