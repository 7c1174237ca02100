# SPDX-License-Identifier: Apache-2.0
"""Processes on chosen cores, and what the kernel counted of them."""
import contextlib
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import time


def fail(text):
    raise SystemExit(f"bench: {text}")


def user_arguments():
    """The services never run as root: then they are nobody's, as in the system tests."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def start(command, cores=None, **more):
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    return subprocess.Popen(command, preexec_fn=pin, **more)


@contextlib.contextmanager
def before_others(wanted):
    """Everything of this session goes before all others while it lasts: the kernel shares the processor among sessions
    first (sched_autogroup), and only then among processes."""
    if not wanted:
        yield
        return
    group = pathlib.Path("/proc/self/autogroup")
    group.write_text("-20")
    try:
        yield
    finally:
        group.write_text("0")


def run(command, cores=None, **more):
    """Its standard output; ends the benchmark when it fails."""
    process = start(command, cores, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    out, err = process.communicate(timeout=3600)
    if process.returncode != 0:
        fail(f"{' '.join(map(str, command))}: status {process.returncode}\n{out}{err}")
    return out


def stop(process, seconds=30):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        fail(f"process {process.pid} did not end in {seconds} s")


def wait_until(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            fail(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def children(pid):
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as stat:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found.append(int(entry))
    return found


def cpu_ms(pid):
    """Of all its threads, to the nanosecond; they live as long as the process."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as stat:
                total += int(stat.read().split()[0])
        except FileNotFoundError:
            pass
    return total / 1e6


def peak_rss_kb(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
