#!/usr/bin/env python3
"""Every command of the bundle: one query, run by psql, its rows as JSON.

The query is a text that the server runs by itself (query_to_xml) inside a transaction that is read-only and has
looked at its data: there no statement can end the transaction, make it writable or write, whatever the text says.
"""
import json
import os
import secrets
import subprocess
import sys
import xml.etree.ElementTree as ET

CALL = json.loads(os.environ["PIPIT_CALL"])
ARGS, OPTIONS = CALL["args"], CALL["options"]
MOST = 10_000

TABLES = """
select n.nspname as schema, c.relname as "table", pg_total_relation_size(c.oid) as bytes, greatest(c.reltuples, 0)::bigint as rows
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' and {}
order by 1, 2"""
COLUMNS = """
select a.attname as "column", format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable
from pg_attribute a where a.attrelid = {}::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum"""
ACTIVITY = """
select pid, usename as "user", datname as database, state, wait_event_type as waits,
       extract(epoch from now() - query_start)::int as seconds, left(query, 200) as query
from pg_stat_activity
where backend_type = 'client backend' and pid <> pg_backend_pid() and {} order by query_start nulls last"""
SIZE = """
select datname as database, pg_database_size(oid) as bytes from pg_database
where datallowconn and has_database_privilege(oid, 'connect') order by 2 desc"""
STATES = {None: "true", "active": "state = 'active'", "idle": "state like 'idle%'", "waiting": "wait_event_type = 'Lock'"}


def quoted(text):
    """A text as the server reads it back, whatever is in it."""
    tag = f"$q{secrets.token_hex(8)}$"
    return f"{tag}{text}{tag}"


def wanted():
    """The query of the call."""
    command = os.environ["PIPIT_COMMAND"]
    if command == "query":
        return ARGS["SQL"].strip().rstrip(";")
    if command == "tables":
        return TABLES.format(f"n.nspname = {quoted(OPTIONS['schema'])}" if "schema" in OPTIONS else "true")
    if command == "columns":
        return COLUMNS.format(quoted(ARGS["TABLE"]))
    if command == "activity":
        return ACTIVITY.format(STATES[ARGS.get("STATE")])
    return SIZE


def main():
    limit = OPTIONS.get("limit", MOST)
    if not 0 < limit <= MOST:
        sys.exit(f"--limit is from 1 to {MOST}")
    rows = f"select row_to_json(pipit_row) as r from (\n{wanted()}\n) as pipit_row limit {limit}"
    script = "\n".join(
        [
            "begin transaction isolation level repeatable read read only;",
            "set local statement_timeout = '50s';",
            # a superuser could write files without writing to the database
            "do $$ begin if (select rolsuper from pg_roles where rolname = current_user) then "
            "raise exception 'the role is a superuser: give this bundle one that can only read'; end if; end $$;",
            f"select query_to_xml({quoted(rows)}, true, true, '');",
        ]
    )
    run = ["psql", "--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]
    ended = subprocess.run([*run, os.environ["POSTGRES_URL"]], input=script, capture_output=True, text=True, check=False)
    if ended.returncode:
        # the server's words, without the query that was made round the one that was typed
        told = [line for line in ended.stderr.splitlines() if line.startswith(("psql: ", "ERROR:", "HINT:", "DETAIL:"))]
        sys.exit("; ".join(line.split("ERROR:  ")[-1] for line in told) or ended.stderr.strip())
    for row in ET.fromstring(f"<rows>{ended.stdout}</rows>").iter("r"):
        print(json.dumps(json.loads(row.text), ensure_ascii=False))


main()
