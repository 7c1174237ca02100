# SPDX-License-Identifier: Apache-2.0
"""at-call on a role: attach, let something happen, see which calls there were and whether the n-th was reached."""
import subprocess
import threading
import time

import world


class Tracer:
    """With `at`, does `action` at that call. As a context: attached inside, detached (or the role gone) after."""

    def __init__(self, build, pid, calls='state', at=0, action=None, times=1):
        command = [f'{build}/tests/support/at-call', '--pid', str(pid), '--set', calls]
        if action:
            command += ['--at', str(at), '--do', action, '--times', str(times)]
        self.at, self.lines, self.ended_at = at, [], None
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        if first != 'attached\n':
            self.process.terminate()
            raise world.Failure(f'at-call: {first}{self.process.stderr.read().strip()}')
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.strip().split(' ', 1)[1])
        self.ended_at = time.monotonic()                     # with the process that it killed

    @property
    def reached(self):
        return bool(self.at) and len(self.lines) >= self.at

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
