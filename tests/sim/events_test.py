#!/usr/bin/env python3
"""Goal: no event is lost, counted twice or out of its order on its way over a broker, whoever dies, and the trouble was real.
Method: 60 seeds of the scenario on each broker; each kind of fault must have bitten often enough."""
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, failed_checks, records, run  # noqa: E402

SEEDS = 60
BITES_MIN = 50


class Events(unittest.TestCase):
    def test_brokers(self):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', ROOT / 'scenarios' / 'fast' / 'events.yaml', '--seeds', f'1..{SEEDS}',
                                        '--json', '--out', out)
        runs = records(output)
        bad = [f"{record['replay']}: {failed_checks(record)} {record['notes']}" for record in runs if record['exit_code'] != 0]
        self.assertEqual(status, PASS, '\n'.join(bad[:5]) + error)
        self.assertEqual(len(runs), 2 * SEEDS)
        bites = Counter(fault['kind'] for record in runs for fault in record['faults'] if fault['evidence'])
        for kind in ('kill', 'stop', 'pause', 'latency', 'partition'):
            self.assertGreaterEqual(bites[kind], BITES_MIN, f'{kind} hardly ever bit: {dict(bites)}')


if __name__ == '__main__':
    unittest.main()
