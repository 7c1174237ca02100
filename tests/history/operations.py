# SPDX-License-Identifier: Apache-2.0
"""What is going on when something is killed or fails: a device that enrols, an administrator who revokes."""
import time

import der
import evidence
import rules
import world

SERVING_S = 2.0                                              # spec S1: restart to serving
CRL_S = 10.0                                                 # after the restart, not after a minute's housekeeping


class Enrolment:
    """A device that asks until it is served, and twice more."""
    roles = ('ca', 'signer', 'scep')

    def __init__(self, site, endpoint):
        self.site, self.endpoint = site, endpoint

    def prepare(self):
        # One key and name: a one-time challenge makes another request of it. With a static one only another key does.
        return self.site.message(self.endpoint, *(('device', 'device') if self.endpoint == 'default' else ()))

    def do(self, message):
        _, certificate = self.site.enrol(message)
        if certificate is None:
            raise world.Failure(f'{message["name"]} was refused\n{self.site.log_tail()}')
        return certificate

    def attempt(self, message):
        """Once. Only an answer that makes devices come again is allowed beside success."""
        status, pki, certificate = self.site.ask(message)
        if status not in (0, 200, 503) or pki not in (None, '0'):
            raise world.Failure(f'{message["name"]}: HTTP {status} pkiStatus {pki}, wanted success or 503\n{self.site.log_tail()}')
        return certificate

    def finish(self, message, certificate):
        served = None
        for _ in range(2):
            if self.do(message) != certificate:
                raise world.Failure(f'{message["name"]}: another answer to the same request')
            served = served or time.monotonic()
        return served


class Revocation:
    """An administrator who asks once. Whatever he was told, what is revoked is in the CRL and its file soon after."""
    roles = ('ca', 'signer')
    # Each time only these, of the last CRL: all of them read all CRLs, of which each revocation makes another.
    rules = ('crl-file-is-the-last', 'revoked-is-in-the-crl', 'acknowledged-revocation')

    def __init__(self, site, _):
        self.site = site

    def prepare(self):
        message = self.site.message('default', 'device', 'device')
        _, certificate = self.site.enrol(message)
        return f'{der.certificate(certificate).serial:038X}'

    def do(self, serial):
        try:
            self.site.chancery('cert', 'revoke', serial, 'superseded')
        except world.Failure:
            return None
        self.site.hold(kind='revoked', ca='issuing', serial=serial)
        return serial

    attempt = do

    def finish(self, serial, told):
        """When the command line is answered again."""
        world.wait_for(self.answers, SERVING_S * 5, 'chancery status')
        served = time.monotonic()
        world.wait_for(lambda: not self.broken(), CRL_S, f'{serial} in the CRL: {self.broken()}')
        return served

    def answers(self):
        try:
            return bool(self.site.chancery('cert', 'list', '--limit', '1'))
        except world.Failure:
            return False

    def broken(self):
        return rules.check(evidence.History(evidence.Site(self.site.site), [self.site.held]), self.rules)


OPERATIONS = {'enrol': Enrolment, 'revoke': Revocation}
