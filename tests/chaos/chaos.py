#!/usr/bin/env python3
"""Behaves as badly as it is told to. What could harm the machine counts itself."""
import ctypes, mmap, os, resource, signal, socket, struct, sys, threading, time

LONG = 300
out = sys.stdout.buffer


def say(text):
    out.write(text if isinstance(text, bytes) else text.encode())
    out.flush()


def hang():
    time.sleep(LONG)


def spin():
    while True:
        pass


def stop_itself():
    os.kill(os.getpid(), signal.SIGSTOP)


def deaf():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU):
        signal.signal(number, signal.SIG_IGN)
    say("deaf\n")
    hang()


def fork_bomb():
    # every process makes two more, eight deep: at most 255
    for _ in range(8):
        if os.fork() and os.fork():
            break
    time.sleep(LONG)


def runner():
    """Forks on and on, so that no number lasts; ends after 20 s all the same."""
    end = time.monotonic() + 20
    say("away\n")
    if os.fork():
        os._exit(0)
    os.setsid()
    while time.monotonic() < end:
        if os.fork():
            os._exit(0)
        time.sleep(0.002)


def hidden():
    """Says that they are away and stays itself."""
    double_fork()
    hang()


def double_fork():
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            # neither its group, its name nor its environment says where it comes from
            os.execve("/bin/sleep", ["innocent", ".".join([str(LONG), *sys.argv[2:]])], {})
    say("left\n")
    # their ways out of here take a moment
    time.sleep(0.2)


def huge_environment():
    """Leaves a process whose environment, as it tells the kernel, is 256 MiB."""
    length = 256 << 20
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = libc.sbrk.restype = ctypes.c_void_p
    at = libc.mmap(None, ctypes.c_size_t(length), mmap.PROT_READ, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0))
    with open("/proc/self/stat") as file:
        field = [0, 0, 0, *file.read().rsplit(")", 1)[1].split()]
    # code, data, heap, stack, arguments, environment; no vector, the same program
    places = [*map(int, [*field[26:28], *field[45:48]]), libc.sbrk(0), int(field[28]), *map(int, field[48:50]), at, at + length, 0]
    told = struct.pack("=12QIi", *places, 0, -1)
    if libc.prctl(35, 14, told, ctypes.c_ulong(len(told)), 0):
        say("refused\n")
        return
    say("told\n")
    if os.fork():
        # its way out of here takes a moment
        time.sleep(0.2)
        return
    os.setsid()
    hang()


def flood():
    block = (b"x" * 99 + b"\n") * 10_000
    for _ in range(10_000):
        out.write(block)


def endless_line():
    block = b"x" * 1_000_000
    while True:
        out.write(block)


def slow():
    while True:
        say("x")
        time.sleep(0.05)


def broken_text():
    say(b"well \xff\xfe\xc0\n\xf0\x28\x8c\x28\n")


def broken_record():
    say(b'{"a":1}\n{"a":1,"a":2}\n{"b":\n')


def deep_record():
    say(b"[" * 100_000 + b"\n")


def closed():
    os.close(1)
    hang()


def all_closed():
    for number in range(4):
        os.close(number)
    hang()


def late():
    """Writes after the shell thinks that all was said."""
    if os.fork():
        say("early\n")
        os._exit(0)
    time.sleep(0.5)
    say("late\n")


def descriptors():
    kept = []
    try:
        while len(kept) < 100_000:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    say(f"{'bounded' if len(kept) < 2000 else 'unbounded'}\n")


def memory():
    kept = []
    try:
        for _ in range(64):
            # never touched, so the machine does not feel it
            kept.append(mmap.mmap(-1, 256 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        say("unbounded\n")
    except (MemoryError, OSError):
        say("bounded\n")


def touched():
    kept = []
    for _ in range(24):
        kept.append(b"x" * (64 << 20))
    say("unbounded\n")


def many_processes():
    made = 0
    try:
        while made < 300:
            if os.fork() == 0:
                hang()
            made += 1
    except OSError:
        pass
    say(f"{'bounded' if made < 300 else 'unbounded'}\n")


def threads():
    resource.setrlimit(resource.RLIMIT_STACK, (1 << 16, 1 << 16))
    threading.stack_size(1 << 16)
    made = 0
    try:
        while made < 400:
            threading.Thread(target=hang, daemon=True).start()
            made += 1
    except RuntimeError:
        pass
    say(f"{made > 0}\n")
    hang()


def fill():
    """Fills the private folder; what one file may hold is bounded everywhere, all of them only where it is in memory."""
    written = 0
    for number in range(4):
        with open(f"fill-{number}", "wb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, 100 << 20)
                written += 100
            except OSError:
                break
    say(f"{written}\n")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        os.truncate("fill-0", 300 << 20)
        say("unbounded\n")
    except OSError:
        say("bounded\n")


def many_files():
    made = 0
    try:
        while made < 20_000:
            os.close(os.open(f"f{made}", os.O_CREAT))
            made += 1
    except OSError:
        pass
    say(f"{'bounded' if made < 20_000 else 'unbounded'}\n")


def control():
    number = int(os.environ["PIPIT_CONTROL"])
    lines = [b"\xff\xfe\n", b"[1]\n", b"{\n", b'{"progress":"much"}\n', b'{"progress":1e999}\n', b'{"log":7,"level":[]}\n']
    for line in lines * 3:
        os.write(number, line)
    try:
        os.write(number, b"x" * 1_000_000)
        while True:
            os.write(number, b'{"log":"x"}\n')
    except OSError:
        pass
    say("well\n")


def answers():
    """Sends descriptors where only text is expected."""
    with socket.socket(fileno=os.dup(int(os.environ["PIPIT_CONTROL"]))) as channel:
        try:
            for _ in range(200):
                socket.send_fds(channel, [b'{"log":"x"}\n'], [0, 1, 2] * 80)
        except OSError:
            pass
    say("well\n")


def snoop():
    """Looks for the canary that the shell has in its environment and its home."""
    found = []
    for folder, _, names in os.walk("/proc"):
        if folder.count("/") > 3 or "/task" in folder:
            continue
        for name in ("environ", "cmdline", "maps"):
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    if b"canary-" + b"7f3a" in file.read(1 << 20):
                        found.append(os.path.join(folder, name))
            except OSError:
                pass
    for name, value in os.environ.items():
        if "canary-" + "7f3a" in value:
            found.append(name)
    say(f"{found or 'nothing'}\n")


def signals():
    """Signals to whoever made it; where it is the second of its world, to everybody in there."""
    shell = os.getppid()
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        for target in (lambda: os.kill(shell, number), lambda: os.killpg(shell, number)):
            try:
                target()
                say("sent\n")
            except OSError:
                pass
    if shell == 1 and os.getpid() < 10:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            os.kill(-1, signal.SIGTERM)
        except OSError:
            pass
    say("well\n")


def core():
    os.abort()


def code():
    sys.exit(137)


def claims():
    """Says what the shell says of programs that never ran."""
    sys.stderr.write("the program cannot be contained: x")
    sys.exit(126)


def deep_folders():
    """Folders in each other, deeper than descriptors reach, with a file at the end."""
    for _ in range(1500):
        os.mkdir("0")
        os.chdir("0")
    os.close(os.open("file", os.O_CREAT))
    say("left\n")


def shut_folders():
    """Folders that nobody may look into, their own among them, and a link to what is not theirs."""
    os.makedirs("a/b/c")
    os.close(os.open("a/b/c/file", os.O_CREAT))
    os.symlink("/", "a/b/root")
    for folder in ("a/b/c", "a/b", "a", "."):
        os.chmod(folder, 0)
    say("left\n")


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


globals()[sys.argv[1]]()
