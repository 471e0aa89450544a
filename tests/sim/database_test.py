#!/usr/bin/env python3
"""Goal: a database in trouble loses nothing that was acknowledged; where it may (a standby that did not have everything
takes over), each lost reservation is named.  Mutant M30, unreported loss, is what this looks for.
Method: the swarm of database faults under every strategy but naive, each kind biting often enough; one promotion, with
the commits waiting for the standby and without."""
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, VIOLATED, failed_checks, records, run  # noqa: E402

FAST = ROOT / 'scenarios' / 'fast'
SEEDS = 250
# Of SEEDS x strategies runs, each kind is on in half and needs a chance to meet traffic.
BITES_MIN = {'kill': 200, 'restart': 100, 'promote': 100, 'terminate-backends': 100, 'pause-replay': 100,
             'lock-timeout': 10, 'disk-full': 100, 'disk-slow': 100, 'partition': 100, 'latency': 100,
             'commit-unknown': 100}
SURVIVES = 'acknowledged-survives'


def rushproof(*arguments):
    with tempfile.TemporaryDirectory() as out:
        status, output, error = run(RUSHPROOF, 'run', *arguments, '--json', '--out', out)
    return status, records(output), error


class Database(unittest.TestCase):
    def test_trouble_loses_nothing(self):
        status, runs, error = rushproof(FAST / 'database.yaml', '--seeds', f'1..{SEEDS}')
        bad = [f"{record['replay']}: {failed_checks(record)}" for record in runs if record['exit_code'] != 0]
        self.assertEqual(status, PASS, '\n'.join(bad[:5]) + error)
        bites = Counter(fault['kind'] for record in runs for fault in record['faults'] if fault['evidence'])
        for kind, least in BITES_MIN.items():
            self.assertGreaterEqual(bites[kind], least, f'{kind} hardly ever bit: {dict(bites)}')

    def test_a_promotion_names_what_it_loses(self):
        status, runs, error = rushproof(FAST / 'promotion.yaml')
        self.assertEqual(status, PASS, error)
        for record in runs:
            check = next(check for check in record['checks'] if check['name'] == SURVIVES)
            takeover = next(fault for fault in record['faults'] if fault['id'] == 'takeover')
            asynchronous = record['cell']['synchronous-standbys'] == '0'
            self.assertEqual(check['verdict'], 'fail' if asynchronous else 'pass', record['replay'])
            self.assertIn('timeline 2 without the last', takeover['evidence'])
            if asynchronous:
                self.assertRegex(check['sentence'], r'^lost \d+ of \d+ acknowledged operations: the \w+ of ')

    def test_a_loss_that_nobody_expects_fails_the_run(self):
        status, runs, _ = rushproof(FAST / 'promotion.yaml', '--seeds', '1..5', '--only', 'synchronous-standbys=1',
                                    '--set', 'system.synchronous-standbys=0')
        self.assertEqual(status, VIOLATED)
        self.assertEqual({check for record in runs for check in failed_checks(record)}, {SURVIVES})

    def test_the_swarm_finds_what_an_asynchronous_standby_loses(self):
        status, runs, _ = rushproof(FAST / 'database.yaml', '--seeds', '1..50', '--only', 'reservation=conditional',
                                    '--set', 'system.replicas=1', '--set', 'system.synchronous-standbys=0')
        self.assertEqual(status, VIOLATED)
        failing = [record for record in runs if record['exit_code'] == VIOLATED]
        for record in failing:
            self.assertIn(SURVIVES, failed_checks(record), record['replay'])
        print(f"M30: killed at seed {min(record['seed'] for record in failing)} by {SURVIVES}")

    def test_an_old_primary_that_nobody_stops_takes_writes_in_vain(self):
        # It is stopped when the run is over, so there is no recovery to judge.
        sets = ['--set', 'timeline.1.fault={kind: promote, split-brain: true, restart-after: 30s}',
                '--set', f'checks=[{SURVIVES}]']
        status, runs, error = rushproof(FAST / 'promotion.yaml', '--only', 'synchronous-standbys=0', '--seeds', '1..5', *sets)
        self.assertEqual(status, PASS, error)
        for record in runs:
            check = next(check for check in record['checks'] if check['name'] == SURVIVES)
            # Without the split, half a second's: 25 buyers.
            self.assertGreater(int(check['sentence'].split()[1]), 200, check['sentence'][:60])

    def test_commits_that_do_not_wait_for_the_disk_die_with_it(self):
        crash = ['timeline=[{at: 2500ms, fault: {kind: kill, target: database}}]', 'system.replicas=0',
                 'system.synchronous-standbys=0']
        sets = [word for setting in crash for word in ('--set', setting)]
        chosen = [FAST / 'promotion.yaml', '--seeds', '1..5', '--only', 'synchronous-standbys=1', *sets]
        status, runs, error = rushproof(*chosen)
        self.assertEqual(status, PASS, error)
        status, runs, _ = rushproof(*chosen, '--set', 'system.synchronous-commit=false')
        self.assertEqual(status, VIOLATED)
        self.assertEqual({check for record in runs for check in failed_checks(record)}, {SURVIVES})
        failing = next(record for record in runs if failed_checks(record))
        self.assertIn('acknowledged commits', failing['faults'][0]['evidence'])


if __name__ == '__main__':
    unittest.main()
