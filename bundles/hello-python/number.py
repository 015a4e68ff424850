#!/usr/bin/env python3
"""Numbers the incoming values, a JSON value a line, as they come."""
import json
import sys

start = int(sys.argv[1]) if len(sys.argv) > 1 else 0
for number, line in enumerate(sys.stdin, start):
    print(json.dumps({"number": number, "value": json.loads(line)}), flush=True)
