#!/usr/bin/env python3
"""Goal: on a real PostgreSQL, with several inventory processes and every fault that it can have, nothing acknowledged is
lost or doubled, but what an asynchronous replica did not have, by name; and the naive strategy is seen to oversell.
Method: the live scenarios on a private server of infra/stack, judged by the same checkers as virtual time, and by a
comparison with the tables themselves."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, RUSHPROOFD, VIOLATED, failed_checks, records, run  # noqa: E402

STACK = ROOT / 'infra' / 'stack' / 'stack'
CRASH = ROOT / 'scenarios' / 'live' / 'postgres.yaml'
FAULTS = ROOT / 'scenarios' / 'live' / 'database-faults.yaml'
SURVIVES = 'acknowledged-survives'
UNAVAILABLE = 77
# A busy machine makes the generator late: then latency is not judged (92), which says nothing about consistency.
LATE = 92
BAD_USAGE = 2


class Postgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        probe = subprocess.run([STACK, 'run', 'postgres', '--fast', '--no-replica', '--', 'true'], capture_output=True,
                               text=True, check=False)
        if probe.returncode == UNAVAILABLE:
            raise unittest.SkipTest(probe.stderr)

    def live(self, scenario, *arguments, good=(PASS, LATE)):
        with tempfile.TemporaryDirectory() as out:
            # In memory: a crash of the processes loses nothing of it, and no other test's disk writes delay it.
            status, output, error = run(RUSHPROOF, 'run', scenario, *arguments, '--json', '--out', out,
                                        environment={'RUSHPROOF_STACK_OPTIONS': '--fast'})
        runs = records(output)
        self.assertEqual(len(runs), 1, error)
        self.assertIn(status, good, (runs[0]['checks'], runs[0]['notes'], runs[0]['faults']))
        return runs[0]

    def assert_faults_bit(self, record):
        evidence = {fault['id']: fault['evidence'] for fault in record['faults']}
        for name, text in evidence.items():
            if name.startswith('sessions'):
                self.assertRegex(text, r'^\d+ backends terminated$', name)
        self.assertIn('PostgreSQL was shut down; PostgreSQL started', evidence['restart'])
        self.assertIn('replay paused; replay goes on', evidence['behind'])
        self.assertEqual(evidence['takeover'], 'replica/0 took over on timeline 2; database follows it')

    def test_faults_lose_nothing_that_a_standby_had_to_have(self):
        record = self.live(FAULTS)
        self.assertEqual(failed_checks(record), [], record['checks'])
        self.assert_faults_bit(record)

    def test_what_an_asynchronous_standby_did_not_have_is_named(self):
        record = self.live(FAULTS, '--set', 'system.synchronous-standbys=0', good=(PASS, LATE, VIOLATED))
        self.assert_faults_bit(record)
        self.assertLessEqual(set(failed_checks(record)), {SURVIVES})
        check = next(check for check in record['checks'] if check['name'] == SURVIVES)
        if check['verdict'] != 'pass':
            self.assertRegex(check['sentence'], r'^lost \d+ of \d+ acknowledged operations?: the \w+ of ')

    def test_a_crash_loses_nothing(self):
        # The others are compared with the model by services/host/postgres_strategies_test.
        for strategy in ('batched', 'serializable', 'advisory-lock', 'table-lock'):
            with self.subTest(strategy=strategy):
                record = self.live(CRASH, '--only', f'reservation={strategy}')
                self.assertEqual(failed_checks(record), [], record['checks'])
                evidence = {fault['target']: fault['evidence'] for fault in record['faults']}
                self.assertIn('without a checkpoint; PostgreSQL started', evidence['database'])
                self.assertIn('signal 9', evidence['inventory/0'])

    def test_naive_oversells(self):
        record = self.live(CRASH, '--only', 'reservation=naive')
        self.assertIn('no-oversell', failed_checks(record))

    def test_migrate_and_complaints(self):
        twice = '"$0" migrate --database="$RUSHPROOF_POSTGRES_URL" && "$0" migrate --database="$RUSHPROOF_POSTGRES_URL"'
        done = subprocess.run([STACK, 'run', 'postgres', '--fast', '--no-replica', '--', 'sh', '-c', twice, RUSHPROOFD],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        status, _, error = run(RUSHPROOFD, 'migrate', '--database=postgresql://me:secret@127.0.0.1/x?nonsense=1')
        self.assertEqual(status, BAD_USAGE)
        self.assertNotIn('secret', error)
        status, _, error = run(RUSHPROOFD, 'migrate', '--database=postgresql://me@127.0.0.1:1/x')
        self.assertEqual(status, 1)
        self.assertIn('refused', error)


if __name__ == '__main__':
    unittest.main()
