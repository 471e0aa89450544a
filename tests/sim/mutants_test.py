#!/usr/bin/env python3
"""Goal: the judge sees documented bugs, each within 200 seeds of the swarm.
Method: the test build of inventory with one mutant switched on at a time; the first failing seed ends the search."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import INVALID, MUTANTS, PASS, ROOT, RUSHPROOF, VIOLATED, failed_checks, records, run  # noqa: E402

SWARM = ROOT / 'scenarios' / 'fast' / 'swarm.yaml'
SEEDS = 200


class Mutants(unittest.TestCase):
    def killed(self, mutant, strategy, *promises, settings=()):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(MUTANTS, 'run', SWARM, '--seeds', f'1..{SEEDS}', '--json', '--out', out,
                                        '--only', f'reservation={strategy}',
                                        *(f'--set={setting}' for setting in (f'system.mutant={mutant}', *settings)))
        self.assertEqual(status, VIOLATED, f'{mutant} survived {SEEDS} seeds\n{error}')
        failing = [record for record in records(output) if record['exit_code'] == VIOLATED]
        seed = min(record['seed'] for record in failing)
        broken = sorted({name for record in failing for name in failed_checks(record)})
        print(f'{mutant}: killed at seed {seed} by {", ".join(broken)}')
        self.assertTrue(set(promises) & set(broken), f'{mutant} was found by {broken}, not by any of {promises}')

    def test_m01_read_modify_write(self):
        self.killed('M01', 'conditional', 'no-oversell', 'conservation')

    def test_m02_check_in_its_own_transaction(self):
        self.killed('M02', 'conditional', 'no-oversell', 'linearizable')

    def test_m03_conflict_taken_for_success(self):
        self.killed('M03', 'conditional', 'acknowledged-survives')

    def test_m04_write_skew(self):
        self.killed('M04', 'conditional', 'no-oversell', 'linearizable', 'conservation')

    def test_m05_retry_keeps_half_of_a_basket(self):
        self.killed('M05', 'conditional', 'conservation', 'all-or-nothing', 'lifecycle')

    def test_m06_retry_without_key(self):
        self.killed('M06', 'conditional', 'idempotent', 'lifecycle')

    def test_m07_key_in_its_own_transaction(self):
        self.killed('M07', 'conditional', 'idempotent', 'lifecycle')

    def test_m08_key_without_constraint(self):
        self.killed('M08', 'conditional', 'idempotent', 'lifecycle')

    def test_m14_commit_then_publish(self):
        self.killed('M14', 'conditional', 'audit')

    def test_m15_publish_then_commit(self):
        self.killed('M15', 'conditional', 'audit')

    def test_m16_relay_reads_from_the_last_on(self):
        self.killed('M16', 'conditional', 'audit')

    def test_m17_relay_removes_before_it_delivers(self):
        self.killed('M17', 'conditional', 'audit')

    def test_m25_expire_any_state(self):
        self.killed('M25', 'conditional', 'lifecycle', 'conservation')

    def test_m26_expire_by_own_clock(self):
        self.killed('M26', 'conditional', 'lifecycle')

    def test_m27_two_sweepers(self):
        self.killed('M27', 'conditional', 'lifecycle', 'conservation', 'idempotent')

    def test_m28_decides_by_a_replica(self):
        self.killed('M28', 'conditional', 'no-oversell', settings=['system.replicas=1'])

    def test_the_unmutated_twin_survives(self):
        with tempfile.TemporaryDirectory() as out:
            status, _, error = run(MUTANTS, 'run', SWARM, '--seeds', '1..20', '--out', out,
                                   '--only', 'reservation=conditional')
        self.assertEqual(status, PASS, error)

    def test_the_shipped_program_has_no_mutants(self):
        status, _, error = run(RUSHPROOF, 'validate', SWARM, '--set', 'system.mutant=M01')
        self.assertEqual(status, INVALID)
        self.assertIn('only in test builds', error)


if __name__ == '__main__':
    unittest.main()
