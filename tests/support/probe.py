#!/usr/bin/env python3
"""Tries what a program inside a fence must not be able to do, and what it must be: what came of each, by name."""
import ctypes, errno, json, os, platform, resource, signal, socket, subprocess, sys, threading, urllib.request

at = json.load(open(os.path.join(os.environ["PIPIT_ROOT"], "at.json")))
shell = os.getppid()
libc = ctypes.CDLL(None, use_errno=True)
INTEL = platform.machine() == "x86_64"


def call(number, *args):
    if libc.syscall(ctypes.c_long(number), *[ctypes.c_long(arg) for arg in args]) == -1:
        raise OSError(ctypes.get_errno(), "")


def named(name, *args):
    if getattr(libc, name)(*args) == -1:
        raise OSError(ctypes.get_errno(), "")


def read(path):
    with open(path, "rb") as file:
        file.read(1)


def write(path):
    with open(path, "w") as file:
        file.write("x")


def connect(family, kind, address, protocol=0):
    with socket.socket(family, kind, protocol) as made:
        made.settimeout(5)
        made.connect(address)


def opened(family, kind, protocol=0):
    socket.socket(family, kind, protocol).close()


def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"x", ("127.0.0.1", at["udp"]))


def fast_open():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", at["undeclared"]))


def listen():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.bind(("127.0.0.1", 0))


def linked():
    os.symlink(at["database"], "link")
    try:
        read("link")
    finally:
        os.unlink("link")


def own():
    os.mkdir("folder")
    write("folder/script")
    with open("folder/script", "w") as file:
        file.write("#!/bin/sh\necho ran >ran\n")
    os.chmod("folder/script", 0o700)
    os.rename("folder/script", "script")
    subprocess.run(["./script"], check=True)
    assert open("ran").read() == "ran\n"
    write(os.path.join(os.environ["TMPDIR"], "more"))


def threads():
    one = threading.Thread(target=lambda: None)
    one.start()
    one.join()


def child():
    with subprocess.Popen(["sleep", "60"]) as made:
        made.send_signal(signal.SIGKILL)


def through(place):
    """Connects by the way out that the environment names."""
    host, port = os.environ["HTTPS_PROXY"].removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), 5) as made:
        made.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        answer = made.recv(4096).decode()
    if not answer.startswith("HTTP/1.1 200 "):
        raise OSError(answer)


def plain(place):
    """Asks for a whole address by the way out."""
    with urllib.request.urlopen(f"http://{place}/") as answer:
        assert answer.read() == b"well", "another answer"


def others():
    own = {os.getpid(), os.getppid()}
    if not [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in own]:
        raise OSError(errno.ENOENT, "")


def own_turn():
    os.nice(1)
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    named("prctl", 15, b"name", 0, 0, 0)


def where_its_environment_is():
    """Moves the end of what `/proc` shows as its environment, as far as the memory that it lies in goes."""
    fields = open("/proc/self/stat").read().rsplit(")", 1)[1].split()
    call(157 if INTEL else 167, 35, 11, int(fields[48]), 0, 0)


def names():
    socket.getaddrinfo("localhost", 80)


tries = {
    "write-outside": lambda: write(at["outside"]),
    "write-above": lambda: write("../pipit-was-here"),
    "write-system": lambda: write("/usr/pipit-was-here"),
    "write-etc": lambda: write("/etc/pipit-was-here"),
    "write-tmp": lambda: write("/tmp/pipit-was-here"),
    "write-declared": lambda: write(at["declared-file"]),
    "write-own": own,
    "write-null": lambda: write("/dev/null"),
    "truncate": lambda: os.truncate(at["file"], 0),
    "unlink": lambda: os.unlink(at["file"]),
    "hard-link": lambda: os.link(at["database"], "hard"),
    "symbolic-link": linked,
    "device": lambda: os.mknod("device", 0o600 | 0o020000, os.makedev(1, 3)),
    "read-file": lambda: read(at["file"]),
    "read-shadow": lambda: read("/etc/shadow"),
    "read-database": lambda: read(at["database"]),
    "read-bundle": lambda: read(at["other-bundle"]),
    "read-run": lambda: read(at["other-run"]),
    "list-runs": lambda: os.listdir(".."),
    "list-home": lambda: os.listdir(os.path.dirname(at["database"])),
    "list-root": lambda: os.listdir("/"),
    "read-system": lambda: read("/usr/bin/env"),
    "read-passwd": lambda: read("/etc/passwd"),
    "read-self": lambda: read("/proc/self/status"),
    "shell-environ": lambda: read(f"/proc/{shell}/environ"),
    "shell-memory": lambda: read(f"/proc/{shell}/mem"),
    "shell-maps": lambda: read(f"/proc/{shell}/maps"),
    "shell-cmdline": lambda: read(f"/proc/{shell}/cmdline"),
    "shell-files": lambda: [os.readlink(f"/proc/{shell}/fd/{name}") for name in os.listdir(f"/proc/{shell}/fd")],
    "shell-signal": lambda: os.kill(shell, 0),
    "shell-limits": lambda: resource.prlimit(shell, resource.RLIMIT_NOFILE),
    "shell-priority": lambda: os.setpriority(os.PRIO_PROCESS, shell, os.getpriority(os.PRIO_PROCESS, shell)),
    "user-priority": lambda: os.setpriority(os.PRIO_USER, 0, 5),
    "shell-scheduler": lambda: os.sched_setscheduler(shell, os.SCHED_OTHER, os.sched_param(0)),
    "shell-parameters": lambda: os.sched_setparam(shell, os.sched_param(0)),
    "shell-attributes": lambda: call(314 if INTEL else 274, shell, 0, 0),
    "shell-processors": lambda: os.sched_setaffinity(shell, os.sched_getaffinity(0)),
    "shell-disk-turn": lambda: call(251 if INTEL else 30, 1, shell, 2 << 13 | 4),
    "shared-memory": lambda: call(29 if INTEL else 194, 0, 4096, 0o600),
    "queue": lambda: call(68 if INTEL else 186, 0, 0o600),
    "semaphore": lambda: call(64 if INTEL else 190, 0, 1, 0o600),
    "named-queue": lambda: named("mq_open", b"/pipit-was-here", os.O_CREAT | os.O_RDWR, 0o600, None),
    "where-its-environment-is": where_its_environment_is,
    "own-turn": own_turn,
    "shell-trace": lambda: named("ptrace", 16, shell, None, None),
    "shell-peek": lambda: named("process_vm_readv", shell, None, 0, None, 0, 0),
    "trace-me": lambda: named("ptrace", 0, 0, None, None),
    "tcp-declared": lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", at["declared"])),
    "tcp-undeclared": lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", at["undeclared"])),
    "tcp-fast": fast_open,
    "tcp-listen": listen,
    "mptcp": lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", at["undeclared"]), 262),
    "udp": udp,
    "icmp": lambda: opened(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    "raw": lambda: opened(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "netlink": lambda: opened(socket.AF_NETLINK, socket.SOCK_RAW),
    "packet": lambda: opened(socket.AF_PACKET, socket.SOCK_RAW),
    "vsock": lambda: opened(socket.AF_VSOCK, socket.SOCK_STREAM),
    "abstract": lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + at["abstract"]),
    "pair": lambda: socket.socketpair(),
    "names": names,
    "user-namespace": lambda: named("unshare", 0x10000000),
    "clone-namespace": lambda: call(56 if INTEL else 220, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0),
    "clone3": lambda: call(435, 0, 0),
    "set-namespace": lambda: named("setns", 0, 0),
    "mount": lambda: named("mount", b"none", b".", b"tmpfs", 0, None),
    "chroot": lambda: os.chroot("."),
    "personality": lambda: named("personality", 0x0040000),
    "personality-query": lambda: named("personality", ctypes.c_ulong(0xFFFFFFFF)),
    "io-uring": lambda: call(425, 1, 0),
    "pidfd-getfd": lambda: call(438, 0, 0, 0),
    "bpf": lambda: call(321 if INTEL else 280, 0, 0, 0),
    "perf": lambda: call(298 if INTEL else 241, 0, 0, 0, 0, 0),
    "userfaultfd": lambda: call(323 if INTEL else 282, 0),
    "keyctl": lambda: call(250 if INTEL else 219, 0, -3, 0),
    "second-number": lambda: call((0x40000000 if INTEL else 0x7FFF0000) + 39),
    "socket-path": lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, at["socket"]),
    "is-there": lambda: os.stat(at["file"]),
    "modes": lambda: os.chmod(at["file"], 0o644),
    "times": lambda: os.utime(at["file"]),
    "process-is-there": lambda: os.stat(f"/proc/{at['process']}"),
    "other-host": lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.2", at["declared"])),
    "threads": threads,
    "child": child,
}

# only where there is a way out, or a /proc of its own
special = {
    "way-out": lambda: through(f"127.0.0.1:{at['declared']}"),
    "way-out-plain": lambda: plain(f"127.0.0.1:{at['declared']}"),
    "way-out-undeclared": lambda: through(f"127.0.0.1:{at['undeclared']}"),
    "way-out-other-host": lambda: through(f"127.0.0.2:{at['declared']}"),
    "way-out-inner": lambda: through("169.254.169.254:80"),
    "others": others,
}

found = {}
for name in sys.argv[1:] or tries:
    try:
        (tries.get(name) or special[name])()
        found[name] = "done"
    except OSError as error:
        found[name] = errno.errorcode.get(error.errno, str(error))
print(json.dumps(found))
