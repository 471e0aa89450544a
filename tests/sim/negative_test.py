#!/usr/bin/env python3
"""Goal: the judge sees what a wrong pipeline or outbox does, and blames nothing else for it; without the bug nothing is found.
Method: the negative controls that plant a bug, each under several schedules in the test build, with it and without."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import INVALID, MUTANTS, PASS, ROOT, RUSHPROOF, VIOLATED, failed_checks, records, run  # noqa: E402

NEGATIVE = ROOT / 'scenarios' / 'negative'
SEEDS = 5


class Negative(unittest.TestCase):
    def run_all(self, scenario, *arguments):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(MUTANTS, 'run', scenario, '--seeds', f'1..{SEEDS}', '--keep-going', '--json', '--out',
                                        out, *arguments)
        runs = records(output)
        self.assertEqual(len(runs), SEEDS, error)
        return status, runs

    def caught(self, name, check):
        scenario = NEGATIVE / f'{name}.yaml'
        status, runs = self.run_all(scenario)
        self.assertEqual(status, VIOLATED)
        self.assertEqual([failed_checks(record) for record in runs], SEEDS * [[check]])
        status, runs = self.run_all(scenario, '--set', 'system.mutant=none')
        self.assertEqual((status, [failed_checks(record) for record in runs]), (PASS, SEEDS * [[]]))
        status, _, error = run(RUSHPROOF, 'validate', scenario)
        self.assertEqual(status, INVALID)
        self.assertIn('only in test builds', error)

    def test_acknowledged_before_the_effect(self):
        self.caught('ack-before-effect', 'accepted-is-processed')

    def test_dual_write(self):
        self.caught('dual-write', 'audit')

    def test_relay_from_the_last_on(self):
        self.caught('relay-from-the-last-on', 'audit')

    def test_switch_without_drain(self):
        self.caught('switch-without-drain', 'switch-loses-nothing')


if __name__ == '__main__':
    unittest.main()
