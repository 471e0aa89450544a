#!/usr/bin/env python3
"""Goal: the commands do what --help says, and bad input gets a place, a reason and a remedy.
Method: the real program, as a user runs it."""
import json
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import INVALID, MUTANTS, PASS, ROOT, RUSHPROOF, UNKNOWN, VIOLATED, records, run  # noqa: E402

SMOKE = ROOT / 'scenarios' / 'fast' / 'smoke.yaml'
NAIVE = ROOT / 'scenarios' / 'negative' / 'naive-oversells.yaml'

GOOD = '''{"rushproof-history":1,"stock":{"SKU-1":1},"scenario":"by hand","seed":7,"world":"mine"}
{"index":0,"time":1200,"process":3,"type":"invoke","f":"reserve","key":"SKU-1","value":{"quantity":1,"reservation":"r-1"}}
{"index":1,"time":5400,"process":3,"type":"ok","f":"reserve","key":"SKU-1","value":{"quantity":1,"reservation":"r-1"}}
'''
OVERSOLD = GOOD + '''{"index":2,"time":6000,"process":"till","type":"invoke","f":"reserve","key":"SKU-1","value":{"quantity":1,"reservation":"r-2"}}
{"index":3,"time":7000,"process":"till","type":"ok","f":"reserve","key":"SKU-1","value":{"quantity":1,"reservation":"r-2"}}
'''


class Cli(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding='utf-8')
        return path

    def test_run_writes_everything_a_user_needs(self):
        out = self.folder / 'out'
        status, output, error = run(RUSHPROOF, 'run', SMOKE, '--seed', '3', '--out', out)
        self.assertEqual(status, PASS, output + error)
        self.assertRegex(output, r'trace hash: [0-9a-f]{32}')
        self.assertIn('seed:       3', output)
        self.assertTrue((out / 'report.html').exists())
        directory = next(out.glob('*seed-3-sim'))
        self.assertEqual({'run.json', 'history', 'events', 'tape'}, {path.name for path in directory.iterdir()})
        status, output, error = run(RUSHPROOF, 'replay', directory)
        self.assertEqual(status, PASS, output + error)
        for form in ('text', 'html', 'json', 'junit', 'github', 'markdown'):
            status, text, error = run(RUSHPROOF, 'report', out, '--format', form)
            self.assertEqual(status, PASS, error)
            if form == 'junit':
                ElementTree.fromstring(text)
            if form != 'github':
                self.assertIn('no-oversell' if form != 'markdown' else 'Rushproof', text)
        status, text, _ = run(RUSHPROOF, 'check', directory / 'history', '--json')
        self.assertEqual((status, json.loads(text)['verdict']), (PASS, 'pass'))

    def test_json_is_one_object_a_run_and_nothing_else(self):
        status, output, _ = run(RUSHPROOF, 'run', SMOKE, '--seeds', '1..3', '--json', '--out', self.folder)
        self.assertEqual(status, PASS)
        lines = output.splitlines()
        self.assertEqual(len(lines), 3 * len({json.dumps(record['cell']) for record in records(output)}))
        for record in records(output):
            for member in ('scenario', 'seed', 'world', 'verdict', 'exit_code', 'trace_hash', 'build', 'checks',
                           'metrics', 'replay'):
                self.assertIn(member, record)

    def test_jobs_do_not_change_the_result(self):
        def hashes(jobs):
            _, output, _ = run(RUSHPROOF, 'run', SMOKE, '--seeds', '1..6', '--json', '--jobs', jobs, '--out', self.folder)
            return sorted((record['seed'], record['trace_hash']) for record in records(output))

        self.assertEqual(hashes(1), hashes(3))

    def test_a_failure_prints_the_line_that_replays_it(self):
        status, output, _ = run(RUSHPROOF, 'run', NAIVE, '--out', self.folder)
        self.assertEqual(status, VIOLATED, output)
        line = next(line for line in output.splitlines() if 'replay: rushproof run' in line)
        arguments = line.split('replay: rushproof ')[1].split()
        again, repeated, _ = run(RUSHPROOF, *arguments, '--out', self.folder / 'again')
        self.assertEqual(again, VIOLATED)
        self.assertIn('no-oversell', repeated)

    def test_check_judges_anybodys_history(self):
        status, text, _ = run(RUSHPROOF, 'check', self.write('good.jsonl', GOOD))
        self.assertEqual(status, PASS, text)
        status, text, _ = run(RUSHPROOF, 'check', self.write('bad.jsonl', OVERSOLD))
        self.assertEqual(status, VIOLATED)
        self.assertIn('r-2', text)
        status, text, _ = run(RUSHPROOF, 'check', self.write('good.jsonl', GOOD), '--checks', 'no-oversell,linearizable')
        self.assertEqual(status, PASS, text)
        status, text, error = run(RUSHPROOF, 'check', self.write('bad.jsonl', OVERSOLD), '--checks', 'no-such')
        self.assertEqual(status, INVALID)
        self.assertIn('no-oversell', error)
        status, _, error = run(RUSHPROOF, 'check', self.write('broken.jsonl', GOOD + '{"index":2,'))
        self.assertEqual(status, INVALID)
        self.assertIn('line 4', error)
        status, _, error = run(RUSHPROOF, 'check', self.folder / 'missing.jsonl')
        self.assertEqual(status, INVALID)

    def test_a_named_check_that_cannot_apply_is_unknown(self):
        status, text, _ = run(RUSHPROOF, 'check', self.write('good.jsonl', GOOD), '--checks', 'per-key-order')
        self.assertEqual(status, UNKNOWN, text)

    def test_export(self):
        history = self.write('good.jsonl', GOOD)
        status, text, _ = run(RUSHPROOF, 'export', history, '--format', 'edn')
        self.assertEqual(status, PASS)
        self.assertIn(':type :invoke', text)
        status, text, _ = run(RUSHPROOF, 'export', history, '--format', 'jepsen-json')
        self.assertEqual(len([json.loads(line) for line in text.splitlines()]), 2)
        status, text, _ = run(RUSHPROOF, 'export', history)
        self.assertEqual(run(RUSHPROOF, 'check', self.write('again.jsonl', text))[0], PASS)

    def test_bad_scenarios_are_refused_with_place_and_remedy(self):
        text = SMOKE.read_text(encoding='utf-8')
        status, _, error = run(RUSHPROOF, 'run', self.write('typo.yaml', text.replace('duration:', 'duratoin:', 1)))
        self.assertEqual(status, INVALID)
        self.assertRegex(error, r'typo\.yaml:\d+:\d+: ')
        self.assertIn('duration', error)
        status, _, error = run(RUSHPROOF, 'validate', SMOKE, '--set', 'system.reservation=hopeful')
        self.assertEqual(status, INVALID)
        self.assertIn('conditional', error)
        status, _, error = run(RUSHPROOF, 'run', SMOKE, '--only', 'reservation=nobody')
        self.assertEqual(status, INVALID)
        status, _, _ = run(RUSHPROOF, 'run', SMOKE, '--no-such-option')
        self.assertEqual(status, INVALID)
        status, _, error = run(RUSHPROOF, 'run', self.folder / 'missing.yaml')
        self.assertEqual(status, INVALID)
        self.assertIn('missing.yaml', error)

    def test_every_shipped_scenario_is_valid(self):
        files = sorted((ROOT / 'scenarios').rglob('*.yaml'))
        self.assertGreaterEqual(len(files), 5)
        for file in files:
            # Planted bugs are only in a program of the tests.
            program = MUTANTS if ' mutant: ' in file.read_text(encoding='utf-8') else RUSHPROOF
            status, output, error = run(program, 'validate', file)
            self.assertEqual(status, PASS, f'{file}: {output}{error}')

    def test_help_and_lists(self):
        for arguments in (['--help'], ['--version'], ['list', 'faults'], ['list', 'checks'], ['list', 'strategies'],
                          ['run', '--help'], ['check', '--help'], ['schema'], ['doctor']):
            status, output, error = run(RUSHPROOF, *arguments)
            self.assertIn(status, (PASS, UNKNOWN) if arguments == ['doctor'] else (PASS,), error)
            self.assertTrue(output.strip())
        json.loads(run(RUSHPROOF, 'schema')[1])
        self.assertEqual(run(RUSHPROOF)[0], INVALID)


if __name__ == '__main__':
    unittest.main()
