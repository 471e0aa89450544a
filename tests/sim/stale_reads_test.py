#!/usr/bin/env python3
"""Goal: a read that a lagging replica serves misses its client's own writes without the position of the write, and never
with it.
Method: the negative control, whose careless buyers must be seen to miss them, under many schedules."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, failed_checks, records, run  # noqa: E402

STALE_READS = ROOT / 'scenarios' / 'negative' / 'stale-reads.yaml'
SEEDS = 50


class StaleReads(unittest.TestCase):
    def test_only_those_who_drop_the_position_miss_their_writes(self):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', STALE_READS, '--seeds', f'1..{SEEDS}', '--json', '--out', out)
        runs = records(output)
        failed = {'true': set(), 'false': set()}
        for record in runs:
            failed[record['cell']['position']].update(failed_checks(record))
        self.assertEqual(failed, {'true': set(), 'false': {'read-your-writes'}})
        self.assertEqual(status, PASS, error)
        self.assertEqual(len(runs), 2 * SEEDS)


if __name__ == '__main__':
    unittest.main()
