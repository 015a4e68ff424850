#!/usr/bin/env python3
"""Greets everybody who is named in the call, else whoever typed it."""
import pipit


@pipit.serve
def hello(call):
    for name in call.args.get("NAME", [call.user]):
        greeting = f"hello, {name}"
        yield {"name": name, "greeting": greeting.upper() if "loud" in call.options else greeting}
