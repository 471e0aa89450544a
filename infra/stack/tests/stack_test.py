#!/usr/bin/env python3
"""Goal: stacks start, answer, do not disturb each other, and leave nothing behind, whoever is killed.
Method: the real servers, a root folder of its own, and a look at every process that stands in it."""
import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

from stack_case import UNAVAILABLE, StackCase, eventually, variables_of

NO_DOCKER = subprocess.run(['docker', 'info'], capture_output=True, check=False).returncode if shutil.which('docker') else 1


def ask(url, sql):
    done = subprocess.run(['psql', '--no-psqlrc', '-qtA', '-d', url, '-c', sql], capture_output=True, text=True, check=True)
    return done.stdout.strip()


class StackTest(StackCase):
    def test_up_replicates_and_down_leaves_nothing(self):
        variables = variables_of(self.stack('up', 'postgres').stdout)
        self.stack('ready')
        ask(variables['RUSHPROOF_POSTGRES_URL'], 'CREATE TABLE fruit (name text); INSERT INTO fruit VALUES (\'apple\')')
        replica = variables['RUSHPROOF_POSTGRES_REPLICA_URL']
        self.assertEqual(ask(replica, 'SELECT pg_is_in_recovery()'), 't')
        self.assertTrue(eventually(lambda: ask(replica, "SELECT to_regclass('fruit') IS NOT NULL") == 't'))
        self.assertEqual(ask(variables['RUSHPROOF_POSTGRES_URL'], 'SHOW fsync'), 'on')
        self.assertIn('is up already', self.stack('up', 'postgres', status=1).stderr)
        self.assertIn('default: postgres', self.stack('status').stdout)
        self.stack('reset')
        self.assertEqual(ask(variables['RUSHPROOF_POSTGRES_URL'], "SELECT to_regclass('fruit') IS NULL"), 't')
        self.assertIn('ready to accept', self.stack('logs').stdout)
        self.stack('down')
        self.assertEqual(self.remains(), [])

    def test_stacks_do_not_disturb_each_other(self):
        starting = [self.start('up', 'postgres', '--name', name, '--no-replica', '--set', f'postgres.work_mem={number}MB')
                    for number, name in enumerate(('one', 'two', 'three'), 1)]
        outputs = [process.communicate()[0] for process in starting]
        if any(process.returncode == UNAVAILABLE for process in starting):
            self.skipTest('no PostgreSQL')
        urls = [variables_of(output)['RUSHPROOF_POSTGRES_URL'] for output in outputs]
        self.assertEqual([ask(url, 'SHOW work_mem') for url in urls], ['1MB', '2MB', '3MB'])
        self.stack('down', '--name', 'two')
        self.assertEqual([ask(url, 'SHOW work_mem') for url in (urls[0], urls[2])], ['1MB', '3MB'])
        self.stack('down', '--all')
        self.assertEqual(self.remains(), [])

    def test_run_ends_as_its_program_did(self):
        program = 'test -n "$RUSHPROOF_POSTGRES_URL" && psql -qtA -d "$RUSHPROOF_POSTGRES_URL" -c "SHOW fsync"; exit 7'
        done = self.stack('run', 'postgres', '--fast', '--no-replica', '--', 'sh', '-c', program, status=7)
        self.assertEqual(done.stdout, 'off\n')
        self.assertEqual(self.remains(), [])

    def test_killing_run_ends_program_and_servers(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                running = self.start('run', 'postgres', '--no-replica', '--', 'sh', '-c', 'echo $$; exec sleep 1000')
                program = running.stdout.readline().strip()
                if not program:
                    self.skipTest('no PostgreSQL')
                self.assertNotEqual(self.remains(), [])
                if number == signal.SIGINT:  # a terminal sends it to both
                    os.kill(int(program), number)
                running.send_signal(number)
                running.communicate()
                self.assert_nothing_left()
                self.assertTrue(eventually(lambda: not Path('/proc', program).exists()))

    def test_killing_up_while_it_starts(self):
        self.stack('run', 'postgres', '--no-replica', '--', 'true')  # makes the template, or skips
        for moment in ('lock', 'control', 'postgres', 'postgres/primary', 'postgres/primary/postmaster.pid'):
            for number in (signal.SIGKILL, signal.SIGINT):
                with self.subTest(moment=moment, number=number):
                    starting = self.start('up', 'postgres')
                    self.assertTrue(eventually((self.root / 'stacks/default' / moment).exists))
                    starting.send_signal(number)
                    starting.communicate()
                    self.assert_nothing_left()

    def test_hold_ends_with_its_input(self):
        holding = self.start('hold', 'postgres', '--no-replica')
        first = holding.stdout.readline()
        if not first:
            self.skipTest('no PostgreSQL')
        self.assertTrue(first.startswith('export RUSHPROOF_'), first)
        self.assertIn('belongs to a program', self.stack('down', '--all', status=1).stderr)
        holding.communicate()
        self.assertEqual(self.remains(), [])

    def test_the_next_command_sweeps_up_after_a_killed_keeper(self):
        self.stack('up', 'postgres', '--no-replica')
        keeper = int((self.root / 'stacks/default/lock').read_text(encoding='utf-8'))
        os.kill(keeper, signal.SIGKILL)
        self.assertTrue(eventually(lambda: self.stack('status').stdout == ''))
        self.assert_nothing_left()

    def test_what_is_missing_is_said_with_a_remedy(self):
        self.environment['PATH'] = os.environ['PATH']
        if NO_DOCKER:
            self.assertIn('Remedy', self.stack('up', 'postgres', '--docker', status=UNAVAILABLE).stderr)
        self.assertIn('SERVER.NAME=VALUE', self.stack('up', 'postgres', '--set', 'work_mem=1MB', status=2).stderr)
        self.assertIn('Remedy', self.stack('ready', status=1).stderr)
        self.assertEqual(self.remains(), [])


if __name__ == '__main__':
    unittest.main()
