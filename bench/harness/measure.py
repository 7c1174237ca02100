# SPDX-License-Identifier: Apache-2.0
"""Slices: a second of the crypto floor, then the same share of messages to each server, and again. Whatever else the
machine does falls on all of them."""
import json
import statistics
import struct
import subprocess

from harness import process
from harness.site import CHALLENGE


class Floor:
    """bench/floor.c on the server's cores; it sleeps between its slices."""

    def __init__(self, build, cores):
        self.running = process.start([build / "bench" / "floor"], cores, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     text=True)
        self.threads = len(cores)

    def slice(self, seconds):
        self.running.stdin.write(f"{seconds}\n")
        self.running.stdin.flush()
        return json.loads(self.running.stdout.readline())

    def end(self):
        self.running.stdin.close()
        self.running.wait()


def der_integer(data, at):
    length = data[at + 1]
    return int.from_bytes(data[at + 2:at + 2 + length], "big", signed=True), at + 2 + length


def latencies_ms(path):
    """From scep-load's answers (bench/work.h): SEQUENCE { item, number, status, at_us, latency_us, body }."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        length, = struct.unpack_from(">I", data, at)
        inside = at + 4 + 2 + (data[at + 5] & 0x7F if data[at + 5] & 0x80 else 0)
        numbers = []
        for _ in range(5):
            number, inside = der_integer(data, inside)
            numbers.append(number)
        if numbers[2] == 200:
            found.append(numbers[4] / 1000)
        at += 4 + length
    return found


def percentile(values, part):
    ordered = sorted(values)
    return ordered[round((len(ordered) - 1) * part)] if ordered else 0.0


class Subject:
    """One server and its share of the work."""

    def __init__(self, server, options, count, warm_up):
        self.server, self.options, self.next = server, options, 0
        self.count = count + warm_up
        self.answers, self.rates, self.latencies, self.client_ms = [], [], [], 0.0
        self.before, self.cpu = server.certificates(), {}
        folder = server.get_ca()
        self.work = server.workplace.path / f"{server.name}.work"
        process.run([server.workplace.load, "prepare", "--ca-dir", folder, "--out", self.work, "--challenge", CHALLENGE,
                     "-n", str(self.count), "--subject-prefix", server.name])
        self.send(warm_up, counts=False)

    def send(self, count, counts=True):
        out = self.server.workplace.path / f"{self.server.name}.{len(self.answers)}"
        before = self.server.cpu_ms()
        said = json.loads(process.run(
            [self.server.workplace.load, "run", self.work, "--to", f"127.0.0.1:{self.server.port}", "--path",
             self.server.path, "-c", str(self.options.c), "--connections", self.options.connections, "--first",
             str(self.next), "--last", str(self.next + count - 1), "--out", out], self.options.client_cores))
        after = self.server.cpu_ms()
        self.next += count
        self.answers.append(out)
        if said["answered"] != count:
            process.fail(f"{self.server.name}: {said}")
        if counts:
            self.rates.append(said["rate"])
            self.latencies += latencies_ms(out)
            for role in after:
                self.cpu[role] = self.cpu.get(role, 0.0) + after[role] - before[role]

    def check(self):
        """What scep-load check says of all answers, those of the warm-up too."""
        done = subprocess.run([self.server.workplace.load, "check", self.work, *self.answers, "--ca", self.server.ca_pem],
                              capture_output=True, text=True)
        if done.returncode not in (0, 1):
            process.fail(f"scep-load check: {done.stderr}")
        return json.loads(done.stdout)

    def rate(self):
        return statistics.median(self.rates)


def measure(floor, subjects, slices, share, seconds):
    """Interleaved; the floor of a slice is the mean of the floors before and after it."""
    floors, around = [floor.slice(seconds)], []
    for index in range(slices):
        for subject in subjects if index % 2 == 0 else reversed(subjects):
            subject.send(share[subject])
        floors.append(floor.slice(seconds))
        around.append((floors[-2]["rate"] + floors[-1]["rate"]) / 2)
    return floors, around
