#!/usr/bin/env python3
"""Goal: the pipeline loses, doubles and reorders nothing, whoever dies, and the trouble was real.
Method: 200 seeds of the scenarios on a queue in memory and on brokers, in each of their cells; each kind of fault must
have bitten often enough."""
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, failed_checks, records, run  # noqa: E402

FAST = ROOT / 'scenarios' / 'fast'
SEEDS = 200
BITES_MIN = 100


class Pipeline(unittest.TestCase):
    def run_all(self, scenario, cells):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', FAST / f'{scenario}.yaml', '--seeds', f'1..{SEEDS}', '--json',
                                        '--out', out)
        runs = records(output)
        bad = [f"{record['replay']}: {failed_checks(record)}" for record in runs if record['exit_code'] != 0]
        self.assertEqual(status, PASS, '\n'.join(bad[:5]) + error)
        self.assertEqual(len(runs), SEEDS * cells)
        bites = Counter(fault['kind'] for record in runs for fault in record['faults'] if fault['evidence'])
        for kind in ('kill', 'stop', 'pause', 'latency', 'partition'):
            self.assertGreaterEqual(bites[kind], BITES_MIN, f'{kind} hardly ever bit: {dict(bites)}')
        sent = sum(operation['succeeded'] for record in runs for operation in record['metrics']['operations']
                   if operation['operation'] == 'enqueue')
        self.assertGreater(sent, 500 * len(runs))

    def test_memory(self):
        self.run_all('pipeline', 2)

    def test_brokers(self):
        self.run_all('brokers', 2)


if __name__ == '__main__':
    unittest.main()
