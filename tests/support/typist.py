"""Sits at a terminal: starts a program on one and plays a script, waiting for each text before typing what follows it.

    typist.py '[["which?", "eu\\r"], ...]' PROGRAM [ARG]...

Writes all that was shown, and ends with the program's exit code; 99 when a text did not come.
"""
import json
import os
import pty
import select
import sys
import time

script, argv = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(argv[0], argv)
shown = ""


def more(seconds):
    global shown
    if not select.select([terminal], [], [], seconds)[0]:
        return True
    try:
        read = os.read(terminal, 4096)
    except OSError:
        return False
    shown += read.decode(errors="replace")
    return bool(read)


seen = 0
for wanted, typed in script:
    until = time.monotonic() + 60
    while wanted not in shown[seen:]:
        if time.monotonic() > until or not more(0.1):
            print(shown)
            print(f"{wanted!r} did not come")
            sys.exit(99)
    seen = shown.index(wanted, seen) + len(wanted)
    os.write(terminal, typed.encode())
while more(60):
    pass
print(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
