# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of the test's own, and a site moved onto it."""
import contextlib
import glob
import os
import pwd
import signal
import shutil
import sqlite3
import subprocess
import tempfile

import world


class Server:
    def __init__(self, site):
        self.folder, self.process = tempfile.mkdtemp(prefix='ch-pg.', dir='/tmp'), None
        self.conninfo = f'host={self.folder} user=chancery dbname=postgres'
        self.programs = os.path.dirname(sorted(glob.glob('/usr/lib/postgresql/*/bin/initdb'))[-1])
        self.who = {}
        if os.getuid() == 0:
            user = pwd.getpwnam('postgres')
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.who = {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}
        os.chmod(self.folder, 0o755)
        try:
            self._start()
            self._move(site)
        except Exception:
            self.close()
            raise

    def _start(self):
        data = os.path.join(self.folder, 'data')
        subprocess.run([f'{self.programs}/initdb', '-D', data, '-U', 'chancery', '-A', 'trust', '-E', 'UTF8',
                        '--locale=C', '-N', '--no-instructions'], check=True, stdout=subprocess.DEVNULL, cwd=self.folder,
                       **self.who)
        # fsync is for the machine's end, which no test plays.
        self.process = subprocess.Popen([f'{self.programs}/postgres', '-D', data, '-k', self.folder, '-h', '', '-c', 'fsync=off',
                                         '-c', 'log_min_messages=fatal'], cwd=self.folder, **self.who)
        world.wait_for(lambda: subprocess.run(['pg_isready', '-q', '-U', 'chancery', '-d', 'postgres', '-h', self.folder], check=False).returncode == 0, 30,
                       'PostgreSQL')

    def sql(self, text):
        subprocess.run(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', self.conninfo], input=text, text=True, check=True)

    def _move(self, site):
        """init knows SQLite only: the role makes its tables here, and takes init's rows over."""
        path = os.path.join(site.site, 'etc/chancery.conf')
        with open(path, encoding='utf-8') as file:
            text = file.read()
        text = text.replace('{\n', '{\n    store = "' + self.conninfo + '"\n', 1) if 'ca "issuing" {\n' in text else None
        text = text.replace('ca "node" {\n', f'ca "node" {{\n    store = "{self.conninfo}"\n')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        journal = os.path.join(site.site, 'lib/signer/journal')
        shutil.copy2(journal, journal + '.kept')
        site.start()
        site.stop()
        with open(journal + '.kept', 'rb') as kept, open(journal, 'wb') as file:     # same owner, without what this start sealed
            file.write(kept.read())
        self._rows(os.path.join(site.site, 'lib/ca/store.db'))
        os.remove(os.path.join(site.site, 'lib/ca/database'))     # the name that this database had until it got other rows

    def _rows(self, store):
        database = sqlite3.connect(store)
        lines = []
        for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'schema_migration'"):
            cursor = database.execute(f'SELECT * FROM {table}')
            names = ', '.join(column[0] for column in cursor.description)
            lines.append(f'DELETE FROM chancery_ca.{table};')
            lines += [f'INSERT INTO chancery_ca.{table} ({names}) VALUES ({", ".join(map(literal, row))});' for row in cursor]
        database.close()
        self.sql('\n'.join(lines))

    def close(self):
        if self.process:
            self.process.send_signal(signal.SIGQUIT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


def literal(value):
    if value is None:
        return 'NULL'
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if isinstance(value, int):
        return str(value)
    quoted = value.replace("'", "''")
    return f"'{quoted}'"
