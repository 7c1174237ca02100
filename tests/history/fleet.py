# SPDX-License-Identifier: Apache-2.0
"""Many devices by bench/scep-load: messages made beforehand, sent in slices, asked again at the end, all answers opened."""
import base64
import json
import os
import subprocess
import urllib.request

import world


class Fleet:
    """`count` devices of one endpoint; `shared` gives all of them one challenge each group of so many."""

    def __init__(self, site, endpoint, count, shared=1):
        self.site, self.endpoint, self.count, self.next = site, endpoint, count, 0
        self.load = f'{site.build}/bench/scep-load'
        self.folder = site.path(f'fleet-{endpoint}')
        os.mkdir(self.folder)
        self.file, self.answers = os.path.join(self.folder, 'work'), []
        self._get_ca()
        self.challenges = None
        if endpoint == 'default':
            groups = [site.password() for _ in range((count + shared - 1) // shared)]
            self.challenges = [groups[i // shared] for i in range(count)]
            with open(os.path.join(self.folder, 'challenges'), 'w', encoding='ascii') as file:
                file.write('\n'.join(self.challenges) + '\n')
        given = ['--challenges', file.name] if self.challenges else ['--challenge', world.STATIC]
        self._run('prepare', '--ca-dir', self.folder, '--out', self.file, '-n', str(count), '--subject-prefix', endpoint, *given)

    def _get_ca(self):
        url = f'http://127.0.0.1:{self.site.port}{world.PATHS[self.endpoint]}?operation=GetCACert'
        with urllib.request.urlopen(url) as answer, open(os.path.join(self.folder, 'getcacert.der'), 'wb') as file:
            file.write(answer.read())

    def _run(self, *arguments):
        done = subprocess.run([self.load, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise world.Failure(f'scep-load {arguments[0]}: {done.stderr.strip()} {done.stdout.strip()}')
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def begin(self, count, clients, retry=60, together=False):
        """The next `count` devices ask at once; the process, for wait()."""
        out = os.path.join(self.folder, f'answers-{len(self.answers)}')
        self.answers.append(out)
        command = [self.load, 'run', self.file, '--to', f'127.0.0.1:{self.site.port}', '--path', world.PATHS[self.endpoint],
                   '--out', out, '-c', str(clients), '--first', str(self.next), '--last', str(self.next + count - 1),
                   '--retry', str(retry)] + (['--together'] if together else [])
        self.next += count
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def wait(process):
        said, wrong = process.communicate()
        if process.returncode != 0:
            raise world.Failure(f'scep-load run: {wrong.strip()} {said.strip()}')
        return json.loads(said)

    def ask_again(self):
        """Everybody so far once more, a retry of each request."""
        count, self.next = self.next, 0
        if count:
            self.wait(self.begin(count, 8))

    def hold(self):
        """Opens all answers, judges each for itself, and keeps what the devices hold. What scep-load check says of them."""
        total = {'answers': 0, 'certificates': 0, 'failure': 0, 'wrong': 0, 'unanswered': 0, 'problems': []}
        for rounds, answers in enumerate(self.answers):
            certificates = f'{answers}.certs'
            done = subprocess.run([self.load, 'check', self.file, answers, '--certs-out', certificates],
                                  capture_output=True, text=True, check=False)
            said = json.loads(done.stdout)
            if said['wrong']:
                raise world.Failure(f'wrong answers: {said["problems"]}')
            for name in total:
                total[name] += said[name]
            self._hold_file(certificates, rounds)
        return total

    def _hold_file(self, path, rounds):
        with open(path, encoding='ascii') as file:
            lines = [line.split() for line in file]
        with open(self.site.held, 'a', encoding='ascii') as held:
            for number, _, text in lines:
                base64.b64decode(text, validate=True)
                held.write(json.dumps({'kind': 'answer', 'request': f'{self.endpoint}-{number}', 'attempt': rounds,
                                       'http': 200, 'status': '0', 'certificate': text,
                                       'challenge': self.challenges[int(number)] if self.challenges else None}) + '\n')

    def whole(self):
        """All answers of all rounds together: two different certificates for a message would be wrong."""
        done = subprocess.run([self.load, 'check', self.file, *self.answers], capture_output=True, text=True, check=False)
        said = json.loads(done.stdout)
        if said['wrong']:
            raise world.Failure(f'wrong answers: {said["problems"]}')
        return said
