# SPDX-License-Identifier: Apache-2.0
"""A site in a folder of its own with the real daemon, for the harnesses that kill it: what helper.bash is to the bats files."""
import base64
import contextlib
import http.client
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
USER = 'nobody' if os.getuid() == 0 else None               # never root: the daemon refuses it, too
ENDPOINTS = '''
endpoint "static" {
    ca = "issuing"
    validator = "static"
    signature_template = "SCEPDeviceSignature"
    encryption_template = "SCEPDeviceEncryption"
    general_purpose_template = "SCEPDevice"
}
'''
PATHS = {'default': '/scep', 'static': '/scep/static'}
STATIC = 'a secret that all know'


class Failure(Exception):
    """What the harness found wrong, in one line."""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds, what, pause=0.01):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Failure(f'not within {seconds} s: {what}')
        time.sleep(pause)


class World:
    def __init__(self, build, options=(), conf='', environment=None):
        self.build, self.daemon, self.environment = build, None, environment or {}
        self.folder = tempfile.mkdtemp(prefix='ch.', dir='/tmp')           # short: socket names are limited
        self.site = os.path.join(self.folder, 's')
        self.log, self.held = os.path.join(self.folder, 'daemon.log'), os.path.join(self.folder, 'held.jsonl')
        self.port = free_port()
        self.messages = 0
        try:
            self._folders()
            self._make(options, conf)
        except Exception:                                                  # a site that could not be made leaves nothing behind
            self.close()
            raise

    def _folders(self):
        for each in (self.site, self.path('tmp')):
            os.mkdir(each)
        staged = subprocess.run([f'{SOURCE}/tools/stage', self.build, self.path('p')], capture_output=True, text=True, check=False)
        if staged.returncode != 0:
            raise Failure(f'{self.build} has no programs (tests/history/build makes them): {staged.stderr.strip()}')
        shutil.copy(f'{self.build}/tests/support/scep-shape', self.path('p/bin'))
        with open(self.path('passphrase'), 'w', encoding='ascii') as file:
            file.write('correct horse battery\n')
        os.chmod(file.name, 0o600)
        if USER:
            user = pwd.getpwnam(USER)
            for top, folders, files in os.walk(self.folder):
                for each in [top] + [os.path.join(top, name) for name in files + folders]:
                    os.chown(each, user.pw_uid, user.pw_gid, follow_symlinks=False)
        os.chmod(self.folder, 0o755)

    def _make(self, options, conf):
        self.chancery('init', '--http', f'127.0.0.1:{self.port}', '--https', 'off', '--va-http', '127.0.0.1:0', '--external-name', 'localhost',
                      '--root-passphrase-file', self.path('passphrase'), *options)
        path = os.path.join(self.site, 'etc/chancery.conf')
        with open(path, encoding='utf-8') as file:
            text = file.read()
        # A hundred challenges at once, and more, are made beforehand.
        text = text.replace('validator = "one-time"', 'validator = "one-time"\n    challenges_outstanding = 100000')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text + ENDPOINTS + conf)
        self.chancery('password', 'set', 'static', text=STATIC + '\n')

    def path(self, name):
        return os.path.join(self.folder, name)

    def close(self):
        with contextlib.suppress(Exception):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- programs ---

    def run(self, *command, text=None, **more):
        who = {'user': USER, 'group': pwd.getpwnam(USER).pw_gid, 'extra_groups': []} if USER else {}
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False,
                              env={**os.environ, 'HOME': self.folder, **self.environment}, **who, **more)
        if done.returncode != 0:
            raise Failure(f'{os.path.basename(command[0])} {" ".join(command[1:4])}: {done.stderr.strip()}')
        return done.stdout

    def chancery(self, *arguments, text=None):
        return self.run(self.path('p/bin/chancery'), '--dir', self.site, *arguments, text=text)

    def start(self):
        who = {'user': USER, 'group': pwd.getpwnam(USER).pw_gid, 'extra_groups': []} if USER else {}
        before = self._said(' serving roles=')
        with open(self.log, 'ab') as log:
            self.daemon = subprocess.Popen([self.path('p/sbin/chanceryd'), '-c', f'{self.site}/etc/chancery.conf'],
                                           stderr=log, stdin=subprocess.DEVNULL,
                                           env={**os.environ, 'HOME': self.folder, **self.environment}, **who)
        wait_for(lambda: self._said(' serving roles=') > before or self.daemon.poll() is not None, 60, 'start')
        if self.daemon.poll() is not None:
            raise Failure(f'chanceryd ended with {self.daemon.returncode}: {self.log_tail(40)}')

    def _said(self, text):
        if not os.path.exists(self.log):
            return 0
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return file.read().count(text)

    def log_tail(self, lines=8):
        with open(self.log, encoding='utf-8', errors='replace') as file:
            return '\n'.join(file.read().split('\n')[-lines:])

    def stop(self):
        if not self.daemon:
            return
        if self.daemon.poll() is None:
            self.daemon.terminate()
        try:
            self.daemon.wait(40)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        self.daemon = None

    def role(self, name):
        """The process of that role, None while there is none."""
        for entry in self._children():
            with contextlib.suppress(OSError):
                with open(f'/proc/{entry}/cmdline', 'rb') as file:
                    if file.read().split(b'\0')[0].endswith(f'/chancery-{name}'.encode()):
                        return entry
        return None

    def _children(self):
        with contextlib.suppress(OSError):
            with open(f'/proc/{self.daemon.pid}/task/{self.daemon.pid}/children', encoding='ascii') as file:
                return [int(word) for word in file.read().split()]
        return []

    def kill(self, name):
        """SIGKILL, if the role runs just now."""
        pid = self.daemon.pid if name == 'chanceryd' else self.role(name)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
        return False

    # --- devices ---

    def get_ca(self):
        """ra.pem: to whom messages are encrypted."""
        folder = os.path.join(self.site, 'lib/scep/certs')
        return os.path.join(folder, 'default-encryption-1.crt.pem')

    def password(self):
        password = json.loads(self.chancery('--json', 'password', 'new', 'default'))
        password = (password[0] if isinstance(password, list) else password)['password']
        self.hold(kind='challenge', endpoint='default', password=password)
        return password

    def message(self, endpoint='default', subject=None, key=None, challenge=None):
        """A pkiMessage of a device: {"name", "key", "bytes", "challenge"}."""
        self.messages += 1
        name = f'd{self.messages}'
        key = self.path(f'tmp/{key or name}.key')
        challenge = challenge or (self.password() if endpoint == 'default' else STATIC)
        out = self.path(f'tmp/{name}.msg')
        self.run(self.path('p/bin/scep-shape'), 'build', '--ra', self.get_ca(), '--key', key, '--out', out,
                 '--challenge', challenge, '--subject', f'CN={subject or name}', '--seed', name)
        with open(out, 'rb') as file:
            return {'name': name, 'key': key, 'bytes': file.read(), 'endpoint': endpoint,
                    'challenge': challenge if endpoint == 'default' else None}

    def post(self, message, timeout=30):
        """(HTTP status, body); status 0: no whole answer came."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=timeout)
        try:
            connection.request('POST', PATHS[message['endpoint']] + '?operation=PKIOperation', message['bytes'],
                               {'Content-Type': 'application/x-pki-message', 'Connection': 'close'})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b''
        finally:
            connection.close()

    def open(self, message, body):
        """(pkiStatus, certificate in DER or None)"""
        answer, out = self.path(f'tmp/{message["name"]}.answer'), self.path(f'tmp/{message["name"]}.pem')
        with open(answer, 'wb') as file:
            file.write(body)
        os.chmod(answer, 0o644)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(out)
        said = self.run(self.path('p/bin/scep-shape'), 'open', '--in', answer, '--key', message['key'], '--out', out)
        certificate = None
        if os.path.exists(out):
            with open(out, encoding='ascii') as file:
                certificate = base64.b64decode(''.join(file.read().split('-----')[2].split()))
        return re.search(r'^pkiStatus: (.*)$', said, re.M).group(1), certificate

    def ask(self, message, timeout=30):
        """One attempt, kept as what a client holds: (HTTP status, pkiStatus or None, certificate or None)."""
        status, body = self.post(message, timeout)
        pki, certificate = self.open(message, body) if status == 200 else (None, None)
        self.hold(kind='answer', request=message['name'], http=status, status=pki, challenge=message['challenge'],
                  certificate=base64.b64encode(certificate).decode() if certificate else None)
        return status, pki, certificate

    def enrol(self, message, seconds=30, pause=0.01, until=('0', '2')):
        """Asks again until there is an answer. Only 503, 429 or a lost connection may come before."""
        end = time.monotonic() + seconds
        while True:
            status, pki, certificate = self.ask(message)
            if pki in until:
                return pki, certificate
            if status not in (0, 200, 429, 503):
                raise Failure(f'{message["name"]}: HTTP {status} is no answer that a device tries again after')
            if time.monotonic() > end:
                raise Failure(f'{message["name"]}: no answer within {seconds} s; the last was HTTP {status}\n{self.log_tail()}')
            time.sleep(pause)

    def hold(self, **entry):
        with open(self.held, 'a', encoding='ascii') as file:
            file.write(json.dumps(entry) + '\n')

    def check(self, *options):
        """The history checker; raises with what it found. Returns its summary."""
        command = [f'{SOURCE}/tests/history/check', self.site, '--log', self.log, *options]
        if os.path.exists(self.held):
            command += ['--held', self.held]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure('history:\n' + done.stdout + done.stderr)
        return done.stdout.strip()


def build_of(arguments_build):
    build = arguments_build or os.environ.get('CHANCERY_BUILD') or os.path.join(SOURCE, 'build/check')
    return os.path.abspath(build)


def can_trace():
    """Only root reads and stops processes that are not dumpable."""
    return os.getuid() == 0


def stop_asked(number, _):
    raise Failure(f'ended by signal {number}')


def judge_time(what, took, limit):
    """A bound on the service, which says nothing on a machine that others keep busy."""
    if took <= limit:
        return
    load, cores = os.getloadavg()[0], os.cpu_count()
    if load < 3 * cores:
        raise Failure(f'{what}: {took:.2f} s, limit {limit} s')
    print(f'not judged, with a load of {load:.0f} on {cores} cores: {what}: {took:.2f} s, limit {limit} s')


def main(run):
    signal.signal(signal.SIGTERM, stop_asked)                # so that the daemon and the folder go, too
    try:
        sys.exit(run() or 0)
    except Failure as failure:
        print(f'FAILED: {failure}', file=sys.stderr)
        sys.exit(1)
