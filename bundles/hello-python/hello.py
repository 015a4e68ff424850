#!/usr/bin/env python3
"""Greets everybody who is named in the call, else whoever typed it."""
import json
import os

call = json.loads(os.environ["PIPIT_CALL"])
names = call["args"].get("NAME", [os.environ["PIPIT_USER"]])
for name in names:
    greeting = f"hello, {name}"
    print(json.dumps({"name": name, "greeting": greeting.upper() if "loud" in call["options"] else greeting}))
