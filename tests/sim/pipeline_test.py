#!/usr/bin/env python3
"""Goal: the pipeline loses, doubles and reorders nothing, whoever dies, and the trouble was real.
Method: up to 200 seeds of the scenarios on a queue in memory, in tables and on brokers, in each of their cells; each kind of
fault must have bitten often enough. Some seeds of one that goes over from queue to queue."""
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, failed_checks, records, run  # noqa: E402

FAST = ROOT / 'scenarios' / 'fast'
LIVE = ROOT / 'scenarios' / 'live'
POWER_LOSS = ROOT / 'scenarios' / 'negative' / 'power-loss.yaml'
SEEDS = 100
FEW_SEEDS = 40  # of what takes longer
BITES_MIN = 40


class Pipeline(unittest.TestCase):
    def passing(self, scenario, count, *arguments):
        """The records of runs that all pass."""
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', scenario, '--json', '--out', out, *arguments)
        runs = records(output)
        bad = [f"{record['replay']}: {failed_checks(record)}" for record in runs if record['exit_code'] != 0]
        self.assertEqual(status, PASS, '\n'.join(bad[:5]) + error)
        self.assertEqual(len(runs), count)
        return runs

    def run_all(self, scenario, cells, seeds=SEEDS, only=(), more_kinds=()):
        runs = self.passing(FAST / f'{scenario}.yaml', seeds * cells, '--seeds', f'1..{seeds}',
                            *(f'--only={each}' for each in only))
        bites = Counter(fault['kind'] for record in runs for fault in record['faults'] if fault['evidence'])
        for kind in ('kill', 'stop', 'pause', 'latency', 'partition', *more_kinds):
            self.assertGreaterEqual(bites[kind], BITES_MIN, f'{kind} hardly ever bit: {dict(bites)}')
        sent = sum(operation['succeeded'] for record in runs for operation in record['metrics']['operations']
                   if operation['operation'] == 'enqueue')
        self.assertGreater(sent, 500 * len(runs))

    def test_memory(self):
        self.run_all('pipeline', 2, only=['queue=memory'])

    def test_sqlite(self):
        self.run_all('pipeline', 3, FEW_SEEDS, only=['queue=sqlite'])

    def test_brokers(self):
        self.run_all('brokers', 2, more_kinds=['broker'])

    def test_a_loss_of_power_is_seen(self):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', POWER_LOSS, '--seeds', f'1..{FEW_SEEDS}', '--json', '--out', out)
        runs = records(output)
        self.assertEqual(status, PASS, error)
        self.assertEqual(len(runs), FEW_SEEDS * 2)
        for record in runs:
            self.assertEqual(failed_checks(record), ['accepted-is-processed', 'delivery'], record['replay'])

    def test_migration(self):
        runs = self.passing(LIVE / 'queue-migration.yaml', FEW_SEEDS, '--mode', 'sim', '--seeds', f'1..{FEW_SEEDS}')
        for record in runs:
            self.assertEqual([(change['from'], change['to'], change['outcome']) for change in record['switches']],
                             [('memory', 'composite', 'done'), ('composite', 'nats', 'done'), ('nats', 'kafka', 'done')])
            self.assertEqual([fault['kind'] for fault in record['faults'] if fault['evidence']],
                             ['switch-queue', 'partition', 'switch-queue', 'kill', 'switch-queue'])


if __name__ == '__main__':
    unittest.main()
