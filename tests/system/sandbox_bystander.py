#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sandbox_bystander.py FILE: a process that anybody of its user may trace and signal, with a TCP, a UDP and an abstract Unix socket. It
writes "PID PORT NAME" to FILE, and stays until it is ended."""
import ctypes
import os
import signal
import socket
import sys

PR_SET_PTRACER = 0x59616D61
ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_long(-1), 0, 0, 0)  # where Yama would let only parents trace
tcp = socket.create_server(("127.0.0.1", 0), backlog=64)
port = tcp.getsockname()[1]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", port))
name = f"chancery-bystander-{os.getpid()}"
unix = socket.socket(socket.AF_UNIX)
unix.bind("\0" + name)
unix.listen(64)
with open(sys.argv[1] + ".new", "w", encoding="ascii") as file:
    file.write(f"{os.getpid()} {port} {name}\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
signal.pause()
