#!/usr/bin/env python3
"""Every variable that the call has made, and nothing of the machine's. A shell would lose those with a hyphen."""
import os

KNOWN = ("COG_ARG", "COG_OPT", "COG_BUNDLE", "COG_CHAT", "COG_COMMAND", "COG_ROOM", "COG_USER", "COG_EMAIL", "COLOUR", "PORT", "DEBUG")

for name, value in sorted(os.environ.items()):
    if name.startswith(KNOWN):
        print(f"{name}={value}")
