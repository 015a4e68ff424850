"""A person on IRC, through the client library `irc`: says what comes on standard input, tells what it hears as JSON.

Usage: client.py PORT NICK [PASSWORD]. With a password it logs in by SASL as the account of its nick. A line of input is
TARGET, a tab and a text, or a raw command after a single colon. A line of output is [kind, who, where, text].
"""

import json
import sys
import threading

import irc.client


def main():
    port, nick = int(sys.argv[1]), sys.argv[2]
    password = sys.argv[3] if len(sys.argv) > 3 else None
    reactor = irc.client.Reactor()

    def tell(_connection, event):
        who = event.source.nick if event.source else ""
        text = event.arguments[-1] if event.arguments else ""
        print(json.dumps([event.type, who, event.target or "", text]), flush=True)

    server = reactor.server()
    # what broke encodings would send must not end the client
    server.buffer_class.errors = "replace"
    for kind in ("welcome", "endofnames", "join", "quit", "nick", "pubmsg", "privmsg", "pubnotice", "privnotice",
                 "login_failed", "nicknameinuse", "error"):
        server.add_global_handler(kind, tell)
    server.connect("127.0.0.1", port, nick, password, sasl_login=nick if password else None)

    def speak():
        for line in sys.stdin:
            line = line.rstrip("\n")
            if line.startswith(":"):
                server.send_raw(line[1:])
            else:
                target, text = line.split("\t", 1)
                server.privmsg(target, text)
        server.quit("gone")

    threading.Thread(target=speak, daemon=True).start()
    while server.is_connected():
        reactor.process_once(0.02)


main()
