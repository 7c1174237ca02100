# SPDX-License-Identifier: Apache-2.0
"""Everything that is left of a run: what clients hold, the ca store, the signer's journal, the CRL files and the log."""
import base64
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections import namedtuple

import der
import journal

TABLES = {
    'request': 'issuer_id, request_id, endpoint, validator, disposition, serial, reserved_at, spki_digest',
    'certificate': 'issuer_id, serial, request_id, status, tbs, der, spki_digest, not_after, revoked_at, reason, '
                   'crl_partition',
    'challenge': 'issuer_id, endpoint, mac, claimed_by, expires_at',
    'crl': 'issuer_id, crl_partition, number, this_update, next_update, entries, der',
    'audit': 'issuer_id, audit_id, actor, action, object, detail',
    'outbox': 'issuer_id, request_id, kind',
    'counter': 'issuer_id, name, value',
}
BINARY = {'tbs', 'der', 'mac', 'spki_digest'}
# One line of what clients hold, as JSON: {"kind": "answer", "request", "status", "certificate" (base64 DER), "challenge"},
# {"kind": "challenge", "endpoint", "password"}, {"kind": "revoked", "ca", "serial"}, {"kind": "crl", "der"}.
Held = namedtuple('Held', 'answers challenges revoked crls')


class Row(dict):
    __getattr__ = dict.__getitem__


class Site:
    """Where a site keeps its things: --dir DIR of the command line tool, or the folders of system mode."""

    def __init__(self, folder):
        system = not os.path.isdir(os.path.join(folder, 'lib'))
        self.state = os.path.join(folder, 'var/lib/chancery') if system else os.path.join(folder, 'lib')
        self.secrets = os.path.join(folder, 'etc/chancery/secrets' if system else 'etc/secrets')
        self.store = os.path.join(self.state, 'ca/store.db')
        self.journal = os.path.join(self.state, 'signer/journal')
        self.crls = os.path.join(self.state, 'ca/crl')

    def challenge_key(self):
        with open(os.path.join(self.secrets, 'ca/challenge-key'), encoding='ascii') as file:
            return bytes.fromhex(file.read().strip())


def rows_of_sqlite(database):
    database.row_factory = lambda cursor, row: Row(zip((c[0] for c in cursor.description), row))
    tables = {name: database.execute(f'SELECT {columns} FROM {name}').fetchall() for name, columns in TABLES.items()}
    tables['integrity'] = [row['integrity_check'] for row in database.execute('PRAGMA integrity_check')]
    return tables


def read_sqlite(path, running):
    if running:
        database = sqlite3.connect(f'file:{path}?mode=ro', uri=True, timeout=10)
        database.isolation_level = None
        database.execute('BEGIN')
        try:
            return rows_of_sqlite(database)
        finally:
            database.close()
    # A copy: opening moves the log into the file, and evidence is not touched.
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ('', '-wal'):
            if os.path.exists(path + suffix):
                shutil.copy(path + suffix, os.path.join(folder, 'store.db' + suffix))
        database = sqlite3.connect(os.path.join(folder, 'store.db'))
        try:
            return rows_of_sqlite(database)
        finally:
            database.close()


def read_postgres(conninfo):
    """One statement, so one snapshot; in the role's schema."""
    parts = [f"'{name}', (SELECT coalesce(json_agg(t), '[]') FROM (SELECT {columns} FROM chancery_ca.{name}) t)"
             for name, columns in TABLES.items()]
    text = subprocess.run(['psql', '-XAtq', '-d', conninfo, '-c', f'SELECT json_build_object({", ".join(parts)})'],
                          check=True, capture_output=True, text=True).stdout
    tables = {name: [Row(row) for row in rows] for name, rows in json.loads(text).items()}
    for rows in tables.values():
        for row in rows:
            for column in BINARY & row.keys():
                row[column] = bytes.fromhex(row[column][2:]) if row[column] else row[column]
    tables['integrity'] = ['ok']                             # the server's own affair
    return tables


def read_held(paths):
    held = Held([], [], [], [])
    lists = {'answer': held.answers, 'challenge': held.challenges, 'revoked': held.revoked, 'crl': held.crls}
    for path in paths:
        with open(path, encoding='utf-8') as file:
            lines = file.read().split('\n')
        for line in lines[:-1]:                              # without its newline the last one was cut off with its writer
            entry = Row(json.loads(line))
            for key in ('certificate', 'der'):
                if entry.get(key):
                    entry[key] = base64.b64decode(entry[key])
            lists[entry.kind].append(entry)
    return held


def read_file(path):
    with open(path, 'rb') as file:
        return file.read()


class History:
    """running: the site works on meanwhile, so what came first is read first, and what is later may be more."""

    def __init__(self, site, held=(), logs=(), conninfo=None, running=False):
        self.running = running
        self.site = site
        self.held = read_held(held)
        self.log = '\n'.join(read_file(path).decode(errors='replace') for path in logs)
        self.crl_files = {}
        if os.path.isdir(site.crls):
            self.crl_files = {name[:-4]: read_file(os.path.join(site.crls, name))
                              for name in os.listdir(site.crls) if name.endswith('.crl')}
        self.damage = None
        self.records, self.torn = self._journal()
        self.tables = read_postgres(conninfo) if conninfo else read_sqlite(site.store, running)
        # What the store has is looked for in what the journal had later, what the journal had in what the store has later.
        self.records_later = self._journal()[0] if running else self.records
        self._index()

    def _journal(self):
        try:
            return journal.read(read_file(self.site.journal))
        except journal.Damaged as damage:
            self.damage = str(damage)
            return [], 0

    def _index(self):
        self.certificates = {(row.issuer_id, serial_of(row)): row for row in self.tables['certificate']}
        self.by_serial = {serial: row for (_, serial), row in self.certificates.items()}
        self.requests = {(row.issuer_id, row.request_id): row for row in self.tables['request']}
        self.sealed = [record for record in self.records if record.kind == journal.CERTIFICATE]
        self.sealed_crls = [record for record in self.records if record.kind == journal.CRL]
        self.last_crl = {}                                   # by (issuer, partition); partition 0 is the complete one
        for row in self.tables['crl']:
            scope = row.issuer_id, row.crl_partition
            if scope not in self.last_crl or row.number > self.last_crl[scope].number:
                self.last_crl[scope] = row


def serial_of(row):
    return int(row.serial, 16)


def tbs_of(certificate_der):
    return der.certificate(certificate_der).tbs
