#!/usr/bin/env python3
"""Goal: the right strategies survive 500 seeds of trouble, and the trouble was real; the main scenario passes whole.
Method: the swarm scenario under every strategy but naive; each kind of fault must have bitten often enough.  The flash
sale as ./run runs it, negative control included."""
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, VIOLATED, failed_checks, records, run  # noqa: E402

FLASH_SALE = ROOT / 'scenarios' / 'fast' / 'flash-sale.yaml'
SWARM = ROOT / 'scenarios' / 'fast' / 'swarm.yaml'
SHARDS = ROOT / 'scenarios' / 'fast' / 'shards.yaml'
NAIVE = ROOT / 'scenarios' / 'negative' / 'naive-oversells.yaml'
SEEDS = 500
# Of SEEDS x strategies runs, each kind is on in half and needs a chance to meet traffic.
BITES_MIN = 200


class Swarm(unittest.TestCase):
    def test_right_strategies_pass(self):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', SWARM, '--seeds', f'1..{SEEDS}', '--json', '--out', out)
        runs = records(output)
        bad = [f"{record['replay']}: {failed_checks(record)}" for record in runs if record['exit_code'] != 0]
        self.assertEqual(status, PASS, '\n'.join(bad[:5]) + error)
        strategies = {record['cell']['reservation'] for record in runs}
        self.assertEqual(strategies, {'batched', 'pessimistic', 'conditional', 'optimistic', 'serializable',
                                      'advisory-lock', 'table-lock'})
        self.assertEqual(len(runs), SEEDS * len(strategies))
        bites = Counter(fault['kind'] for record in runs for fault in record['faults'] if fault['evidence'])
        for kind in ('kill', 'stop', 'pause', 'restart', 'latency', 'partition', 'clock-skew', 'clock-drift',
                     'commit-unknown'):
            self.assertGreaterEqual(bites[kind], BITES_MIN, f'{kind} hardly ever bit: {dict(bites)}')
        unknown = sum(operation['unknown'] for record in runs for operation in record['metrics']['operations'])
        self.assertGreater(unknown, 0, 'no outcome was ever unknown: the faults are too gentle')

    def test_two_databases_pass(self):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', SHARDS, '--json', '--out', out)
        runs = records(output)
        bad = [f"{record['replay']}: {failed_checks(record)}" for record in runs if record['exit_code'] != 0]
        self.assertEqual(status, PASS, '\n'.join(bad[:5]) + error)
        self.assertEqual(len(runs), 400)
        died = Counter(fault['target'] for record in runs for fault in record['faults']
                       if fault['kind'] == 'kill' and fault['evidence'])
        for database in ('database/1', 'database/2'):
            self.assertGreater(died[database], 20, died)

    def test_the_main_scenario_passes(self):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', FLASH_SALE, '--mode', 'sim', '--json', '--out', out)
        bad = [f"{record['replay']}: {failed_checks(record)}" for record in records(output) if record['exit_code'] != 0]
        self.assertEqual(status, PASS, '\n'.join(bad) + error)
        naive = [record for record in records(output) if record['cell']['reservation'] == 'naive']
        self.assertTrue(naive)
        for record in naive:
            self.assertEqual(set(failed_checks(record)), {'no-oversell', 'conservation', 'linearizable'})

    def test_naive_oversells_without_any_fault(self):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', NAIVE, '--seeds', '1..20', '--json', '--out', out)
            self.assertEqual(status, VIOLATED, error)
            failing = [record for record in records(output) if record['exit_code'] == VIOLATED]
            self.assertTrue(failing)
            self.assertFalse(failing[0]['faults'])
            check = next(check for check in failing[0]['checks'] if check['name'] == 'no-oversell')
            self.assertEqual(check['verdict'], 'fail')
            self.assertTrue(check['witness'], 'a failure shows its witness')
            status, text, _ = run(RUSHPROOF, 'run', NAIVE, '--seeds', str(failing[0]['seed']), '--out', out)
            self.assertEqual(status, VIOLATED)
            self.assertIn(check['witness'][0], text)
            self.assertIn('replay: rushproof run', text)


if __name__ == '__main__':
    unittest.main()
