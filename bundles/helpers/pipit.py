"""A program of a Pipit bundle in Python: reads the call, gives values, asks, says how far it is. The same program runs
once for each call, or is kept for many (`warm` in the manifest). Copy this file beside yours; it needs Python 3.8.

    import pipit

    @pipit.serve
    def hello(call):
        for name in call.args.get("NAME", [call.user]):
            yield {"name": name, "greeting": f"hello, {name}"}
"""
import json
import os
import sys


class Abort(Exception):
    """The call has failed; the message is shown to whoever asked."""


class NoAnswer(Exception):
    """A question was not answered: nobody can be asked, or nobody said anything, or it was cancelled."""


class Call:
    """One call.

    args, options   what was given, by name; what was not given is not there
    input           the incoming values, one after the other
    user, room, adapter, line, invocation
    """

    def __init__(self, told, values, say, hear, give):
        self.args, self.options, self.input = told["args"], told["options"], values
        self.user, self.room, self.adapter = told["user"], told["room"], told["adapter"]
        self.line, self.invocation = told["line"], told["invocation"]
        self._say, self._hear, self.emit = say, hear, give

    def progress(self, part=None, text=""):
        """How far it is: from 0 to 1, if that is known."""
        self._say({"progress": part, "text": text})

    def log(self, text, level="info"):
        """A remark: debug, info, warn, error. The last two are shown to whoever typed the line."""
        self._say({"log": str(text), "level": level})

    def template(self, name):
        """Shows the values by this template of the bundle."""
        self._say({"template": name})

    def ask(self, question, one_of=None):
        """Asks whoever typed the line, and waits for the answer."""
        self._say({"ask": question, "one-of": one_of} if one_of else {"ask": question})
        answer = self._hear()
        if "answer" not in answer:
            raise NoAnswer(answer.get("error", "nobody answered"))
        return answer["answer"]


def serve(program):
    """Runs a function for the call, or for one call after the other. What it returns or yields are values; `call.emit`
    gives one too."""
    if "PIPIT_WARM" in os.environ:
        _many(program)
    else:
        _one(program)
    return program


def _run(program, call):
    for value in program(call) or ():
        call.emit(value)


def _one(program):
    told = json.loads(os.environ["PIPIT_CALL"])
    for name in ("user", "room", "adapter", "line", "invocation"):
        told[name] = os.environ["PIPIT_" + name.upper()]
    control = None

    def say(what):
        nonlocal control
        control = control or os.fdopen(int(os.environ["PIPIT_CONTROL"]), "r+b", buffering=0)
        control.write(json.dumps(what).encode() + b"\n")

    def hear():
        line = b""
        while not line.endswith(b"\n"):
            read = control.read(1)
            if not read:
                return {}
            line += read
        return json.loads(line)

    def give(value):
        sys.stdout.write(json.dumps(value) + "\n")
        sys.stdout.flush()

    values = (json.loads(line) for line in sys.stdin if line.strip())
    try:
        _run(program, Call(told, values, say, hear, give))
    except (Abort, NoAnswer) as reason:
        say({"abort": str(reason)})
        sys.exit(1)


def _many(program):
    # what the program prints is no frame
    frames = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in iter(sys.stdin.readline, ""):
        told = json.loads(line)
        number = told["call"]

        def say(what, number=number):
            frames.write(json.dumps({"call": number, **what}) + "\n")
            frames.flush()

        def hear():
            return json.loads(sys.stdin.readline() or "{}")

        call = Call(told, iter(told.get("input", [])), say, hear, lambda value: say({"value": value}))
        try:
            _run(program, call)
            say({"end": True})
        except (Abort, NoAnswer) as reason:
            say({"abort": str(reason)})
        except Exception as fault:
            say({"abort": f"{type(fault).__name__}: {fault}"})
