# SPDX-License-Identifier: Apache-2.0
"""Slices of ab: the same file by POST, over HTTP/1.0, a connection a request. For servers that wrk gets nothing from. A slice is
a number of requests and not a time: connections that ab gives up in the middle are the last that `openssl ocsp` serves."""
import re
import shutil

from harness import process

REQUESTS_PER_S = 10000                                       # about what they do


def slice_of(options, asked, connections):
    """As wrk.slice_of, with the latencies in whole milliseconds that ab has. Answers may differ in length."""
    program = shutil.which("ab") or process.fail("ab is not there: tools/install bench")
    before = asked.server.cpu_ms()
    said = process.run([program, "-q", "-l", "-c", str(options.c), "-n", str(int(REQUESTS_PER_S * options.seconds)), "-p", asked.body, "-T",
                        "application/ocsp-request", asked.url], options.client_cores)
    after = asked.server.cpu_ms()
    requests = int(re.search(r"^Complete requests: +(\d+)$", said, re.M).group(1))
    if requests == 0 or not re.search(r"^Failed requests: +0$", said, re.M) or "Non-2xx" in said:
        process.fail(f"{asked.server.name}: {said}")
    latency = dict(re.findall(r"^ +(50|99)% +(\d+)", said, re.M))
    return {"rate": float(re.search(r"^Requests per second: +([\d.]+)", said, re.M).group(1)), "p50_ms": float(latency["50"]),
            "p99_ms": float(latency["99"]), "cpu_us": sum(after[role] - before[role] for role in after) * 1000 / requests}
