#!/usr/bin/env python3
"""Goal: live, with kill -9 of each process in turn and requests in flight, nothing acknowledged is lost or doubled; nor while the
queue is switched under load.
Method: the real processes under the open-loop generator, judged by the same checkers as virtual time."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, failed_checks, records, run  # noqa: E402

KILL_EACH = ROOT / 'scenarios' / 'live' / 'kill-each.yaml'
MIGRATION = ROOT / 'scenarios' / 'live' / 'queue-migration.yaml'
SHARDS = ROOT / 'scenarios' / 'live' / 'shards.yaml'
FLASH_SALE = ROOT / 'scenarios' / 'fast' / 'flash-sale.yaml'
# A busy machine makes the generator late: then latency is not judged (92), which says nothing about consistency.
LATE = 92


class Live(unittest.TestCase):
    def live(self, *arguments):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', *arguments, '--mode', 'live', '--json', '--out', out)
            self.check_clock_bound(next(Path(out).rglob('history')))
        runs = records(output)
        self.assertEqual(len(runs), 1, error)
        self.assertEqual(failed_checks(runs[0]), [], runs[0]['checks'])
        self.assertIn(status, (PASS, LATE), runs[0]['notes'])
        return runs[0]

    def check_clock_bound(self, history):
        _, lines, error = run(RUSHPROOF, 'export', history)
        header = json.loads(lines.splitlines()[0])
        self.assertGreater(header['clock_bound'], 0, error)
        self.assertLess(header['clock_bound'], 1e9, 'did the wall clock step by a second?')

    def test_kill_each_process(self):
        record = self.live(KILL_EACH)
        killed = {fault['target'] for fault in record['faults'] if fault['kind'] == 'kill' and 'signal 9' in fault['evidence']}
        self.assertTrue(any(target.startswith('gateway/') for target in killed), killed)
        self.assertTrue(any(target.startswith('inventory/') for target in killed), killed)
        unknown = sum(operation['unknown'] for operation in record['metrics']['operations'])
        self.assertGreater(unknown, 0, 'the kills met no request in flight')
        self.assertIn('conservation', {check['name'] for check in record['checks']})

    def test_two_databases(self):
        record = self.live(SHARDS)
        killed = {fault['target'] for fault in record['faults'] if 'signal 9' in fault['evidence']}
        self.assertLessEqual({'inventory/0', 'inventory/1'}, killed)
        self.assertIn('conservation', {check['name'] for check in record['checks']})

    def test_queue_migration(self):
        record = self.live(MIGRATION)
        self.assertEqual([(change['from'], change['to'], change['outcome']) for change in record['switches']],
                         [('memory', 'composite', 'done'), ('composite', 'nats', 'done'), ('nats', 'kafka', 'done')])
        bit = {fault['kind'] for fault in record['faults'] if fault['evidence']}
        self.assertEqual(bit, {'switch-queue', 'partition', 'kill'})

    def test_flash_sale(self):
        record = self.live(FLASH_SALE, '--only', 'reservation=conditional', '--duration', '4s', '--seed', '1',
                           '--set', 'load.flash.stages.0.target=100/s', '--set', 'load.flash.stages.1.target=100/s',
                           '--set', 'thresholds={}')
        reserve = next(operation for operation in record['metrics']['operations'] if operation['operation'] == 'reserve')
        self.assertGreater(reserve['succeeded'], 50)
        self.assertEqual(record['trace_hash'], '')


if __name__ == '__main__':
    unittest.main()
