#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""raw_http.py PORT: sends standard input as it is, prints the status of the first answer and whether the server closed."""
import socket
import sys


def exchange(port, data, timeout=15):
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as peer:
        try:
            peer.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer, closed = b"", False
        try:
            while True:
                more = peer.recv(65536)
                if not more:
                    closed = True
                    break
                answer += more
        except ConnectionResetError:
            closed = True
        except TimeoutError:
            pass
    words = answer.split(b" ", 2)
    status = words[1].decode() if answer.startswith(b"HTTP/1.") and len(words) > 2 else "none"
    return status, closed, answer


if __name__ == "__main__":
    status, closed, _ = exchange(int(sys.argv[1]), sys.stdin.buffer.read())
    print(status, "closed" if closed else "open")
