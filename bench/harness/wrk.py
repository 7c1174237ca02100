# SPDX-License-Identifier: Apache-2.0
"""Slices of wrk against two servers in turn, on the same cores, and what comes of them."""
import os
import re
import shutil
import statistics

from harness import process

UNITS_MS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}


def add_arguments(parser):
    parser.add_argument("--json", action="store_true", help="nothing but the JSON object")
    parser.add_argument("-c", type=int, default=8, metavar="N", help="connections at once (8)")
    parser.add_argument("--cores", type=int, default=1, metavar="N", help="cores for the server (1)")
    parser.add_argument("--slices", type=int, default=4, metavar="N", help="slices of each (4)")
    parser.add_argument("--seconds", type=int, default=2, metavar="S", help="of a slice (2)")
    parser.add_argument("--priority", action="store_true", help="as bench/enrol")
    parser.add_argument("--build", default=os.environ.get("CHANCERY_BUILD"), metavar="DIR")


def check_arguments(parser):
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if not 1 <= options.cores <= len(cores) or min(options.c, options.slices, options.seconds) < 1:
        parser.error(f"--cores is 1 to {len(cores)}; -c, --slices and --seconds are at least 1")
    options.server_cores = set(cores[:options.cores])
    options.client_cores = set(cores[options.cores:]) or set(cores)
    options.wrk = shutil.which("wrk") or parser.error("wrk is not there: tools/install bench")
    if options.priority and os.getpid() != os.getpgrp():
        os.setsid()
    return options


def slice_of(options, asked, connections):
    """One slice: requests a second, median and 99th latency, CPU of the server a request."""
    header = ["-H", "Connection: close"] if connections == "new" else []
    before = asked.server.cpu_ms()
    said = process.run([options.wrk, "-t", "1", "-c", str(options.c), "-d", f"{options.seconds}s", "--latency", *header,
                        asked.url], options.client_cores)
    after = asked.server.cpu_ms()
    if "Non-2xx" in said or "Socket errors" in said:
        process.fail(f"{asked.server.name}: {said}")
    requests = int(re.search(r"(\d+) requests in", said).group(1))
    latency = {part: float(value) * UNITS_MS[unit] for part, value, unit in
               re.findall(r"^ +(50|99)% +([\d.]+)(us|ms|s|m)$", said, re.M)}
    return {"rate": float(re.search(r"Requests/sec: +([\d.]+)", said).group(1)), "p50_ms": latency["50"],
            "p99_ms": latency["99"], "cpu_us": sum(after[role] - before[role] for role in after) * 1000 / requests}


class Asked:
    """A server and what is asked of it."""

    def __init__(self, server, url, body=None):
        self.server, self.url, self.body = server, url, body


def summary(slices):
    middle = {key: statistics.median(each[key] for each in slices) for key in slices[0]}
    return {"requests_per_s": round(middle["rate"]), "p50_ms": round(middle["p50_ms"], 3), "p99_ms": round(middle["p99_ms"], 3),
            "cpu_us_per_request": round(middle["cpu_us"], 2)}


def compare(options, ours, peer, connections, one_slice=slice_of):
    mine, theirs = [], []
    for _ in range(options.slices):
        mine.append(one_slice(options, ours, connections))
        theirs.append(one_slice(options, peer, connections))
        if not options.json:
            print(f"{connections}: {ours.server.name} {mine[-1]['rate']:.0f}/s, {peer.server.name} {theirs[-1]['rate']:.0f}/s", flush=True)
    ratio = statistics.median(one["rate"] / other["rate"] for one, other in zip(mine, theirs))
    cpu = statistics.median(other["cpu_us"] / one["cpu_us"] for one, other in zip(mine, theirs))
    return {**summary(mine), "peer": {"name": peer.server.name, **summary(theirs)}, "ratio": round(ratio, 3), "cpu_ratio": round(cpu, 3)}
