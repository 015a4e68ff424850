#!/usr/bin/env python3
"""Greets everybody who is named in the call, else whoever typed it."""
import json
import os

call = json.loads(os.environ["PIPIT_CALL"])
for name in call["args"].get("NAME", [os.environ["PIPIT_USER"]]):
    greeting = f"hello, {name}"
    if "loud" in call["options"]:
        greeting = greeting.upper()
    # a value a line; flushed, so that it is shown at once
    print(json.dumps({"name": name, "greeting": greeting}), flush=True)
