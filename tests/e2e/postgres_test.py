#!/usr/bin/env python3
"""Goal: on a real PostgreSQL, with several inventory processes and a crash of the database, nothing acknowledged is lost
or doubled, and the naive strategy is seen to oversell.
Method: the live scenario on a private server of infra/stack, judged by the same checkers as virtual time, and by a
comparison with the tables themselves."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, RUSHPROOFD, failed_checks, records, run  # noqa: E402

STACK = ROOT / 'infra' / 'stack' / 'stack'
CRASH = ROOT / 'scenarios' / 'live' / 'postgres.yaml'
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

    def live(self, strategy):
        with tempfile.TemporaryDirectory() as out:
            # In memory: a crash of the processes loses nothing of it, and no other test's disk writes delay it.
            status, output, error = run(RUSHPROOF, 'run', CRASH, '--only', f'reservation={strategy}', '--json', '--out', out,
                                        environment={'RUSHPROOF_STACK_OPTIONS': '--fast'})
        runs = records(output)
        self.assertEqual(len(runs), 1, error)
        self.assertIn(status, (PASS, LATE), (runs[0]['checks'], runs[0]['notes']))
        return runs[0]

    def test_a_crash_loses_nothing(self):
        # The others are compared with the model by services/host/postgres_strategies_test.
        for strategy in ('batched', 'serializable', 'advisory-lock', 'table-lock'):
            with self.subTest(strategy=strategy):
                record = self.live(strategy)
                self.assertEqual(failed_checks(record), [], record['checks'])
                evidence = {fault['target']: fault['evidence'] for fault in record['faults']}
                self.assertIn('without a checkpoint; PostgreSQL started', evidence['database'])
                self.assertIn('signal 9', evidence['inventory/0'])

    def test_naive_oversells(self):
        record = self.live('naive')
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
