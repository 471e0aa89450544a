#!/usr/bin/env python3
"""Goal: the judge sees documented bugs, each within 200 seeds of the swarm.
Method: the test build of the services with one mutant switched on at a time."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from mutants import ALL  # noqa: E402
from programs import INVALID, MUTANTS, PASS, ROOT, RUSHPROOF, VIOLATED, failed_checks, run  # noqa: E402

SWARM = ROOT / 'scenarios' / 'fast' / 'swarm.yaml'
BROKERS = ROOT / 'scenarios' / 'fast' / 'brokers.yaml'
# Most show within a few seeds.
FEW, SEEDS = 40, 200


class Mutants(unittest.TestCase):
    def test_each_is_killed(self):
        for name, mutant in ALL.items():
            with self.subTest(mutant=name):
                for seeds in (FEW, SEEDS):
                    runs, error = mutant.runs(name, seeds)
                    failing = [record for record in runs if record['exit_code'] == VIOLATED]
                    if failing:
                        break
                self.assertTrue(failing, f'{name} survived {SEEDS} seeds\n{error}')
                seed = min(record['seed'] for record in failing)
                broken = {check for record in failing for check in failed_checks(record)}
                print(f'{name}: killed at seed {seed} by {", ".join(sorted(broken))}', flush=True)
                self.assertTrue(set(mutant.promises) & broken,
                                f'{name} was found by {broken}, not by any of {mutant.promises}')

    def test_the_unmutated_twin_survives(self):
        for scenario, only in ((SWARM, 'reservation=conditional'), (BROKERS, 'queue=nats'), (BROKERS, 'queue=kafka')):
            with tempfile.TemporaryDirectory() as out:
                status, _, error = run(MUTANTS, 'run', scenario, '--seeds', '1..20', '--out', out, '--only', only)
            self.assertEqual(status, PASS, error)

    def test_the_shipped_program_has_no_mutants(self):
        for scenario, mutant in ((SWARM, 'M01'), (BROKERS, 'M18')):
            status, _, error = run(RUSHPROOF, 'validate', scenario, '--set', f'system.mutant={mutant}')
            self.assertEqual(status, INVALID)
            self.assertIn('only in test builds', error)

    def test_a_consumer_needs_a_pipeline(self):
        status, _, error = run(MUTANTS, 'validate', SWARM, '--set', 'system.mutant=M18')
        self.assertEqual(status, INVALID)
        self.assertIn('set system.queue', error)


if __name__ == '__main__':
    unittest.main()
