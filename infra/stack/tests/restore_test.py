#!/usr/bin/env python3
"""Goal: a backup and the archived log bring back any moment after the backup, and nothing that came later.
Method: a table that tells the moments apart, lost with its server; restored to a moment and to the end."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

POSTGRES = Path(__file__).resolve().parent.parent / 'postgres'
UNAVAILABLE = 77


def variables(folder):
    return dict(line.split('=', 1) for line in (folder / 'variables').read_text(encoding='utf-8').splitlines())


def ask(folder, sql, user='URL'):
    done = subprocess.run(['psql', '--no-psqlrc', '-qtA', '-d', variables(folder)[f'RUSHPROOF_POSTGRES_{user}'], '-c', sql],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Restore(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix='restore-test-', dir='/dev/shm' if os.path.isdir('/dev/shm') else None))
        self.root.chmod(0o711)
        self.addCleanup(shutil.rmtree, self.root)

    def script(self, name, *arguments):
        done = subprocess.run([POSTGRES / name, *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode == UNAVAILABLE:
            self.skipTest(done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)

    def start(self, name, folder, *arguments):
        self.addCleanup(lambda: folder.exists() and self.script('stop', folder))
        self.script(name, folder, *arguments)

    def test_a_lost_server_comes_back_as_of_any_moment(self):
        server, backup, archive = self.root / 'server', self.root / 'backup', self.root / 'archive'
        self.start('start', server, '--fast', '--no-replica', '--archive', archive)
        ask(server, "CREATE TABLE moment (name text); INSERT INTO moment VALUES ('before the backup')")
        self.script('backup', server, backup)
        self.assertEqual(backup.stat().st_mode & 0o077, 0)
        ask(server, "INSERT INTO moment VALUES ('after the backup')")
        ask(server, 'SELECT pg_sleep(0.05)')
        moment = ask(server, 'SELECT clock_timestamp()')
        ask(server, 'SELECT pg_sleep(0.05)')
        ask(server, "DELETE FROM moment; INSERT INTO moment VALUES ('the accident')")
        segment = ask(server, 'SELECT pg_walfile_name(pg_switch_wal())', 'ADMIN_URL')
        while not (archive / segment).exists():
            ask(server, 'SELECT pg_sleep(0.05)')
        self.script('stop', server)
        shutil.rmtree(server)

        then = self.root / 'then'
        self.start('restore', then, backup, archive, '--until', moment, '--fast')
        self.assertEqual(ask(then, 'SELECT name FROM moment'), 'before the backup\nafter the backup')
        ask(then, "INSERT INTO moment VALUES ('it takes writes')")
        end = self.root / 'end'
        self.start('restore', end, backup, archive, '--fast')
        self.assertEqual(ask(end, 'SELECT name FROM moment'), 'the accident')


if __name__ == '__main__':
    unittest.main()
