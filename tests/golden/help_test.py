#!/usr/bin/env python3
"""Goal: what the programs say about themselves changes on purpose only.
Method: --help of every command against tests/golden/help-*.txt; RUSHPROOF_REBASELINE=1 writes them."""
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, RUSHPROOFD, run  # noqa: E402

COMMANDS = {
    RUSHPROOF: ['run', 'validate', 'replay', 'trace', 'check', 'export', 'report', 'doctor', 'list', 'schema',
                'queue', 'queue switch', 'queue replay', 'queue workers'],
    RUSHPROOFD: ['serve', 'migrate'],
}


class Help(unittest.TestCase):
    maxDiff = None

    def test_every_command(self):
        for program, commands in COMMANDS.items():
            texts = []
            for command in ['', *commands]:
                status, output, error = run(program, *command.split(), '--help')
                self.assertEqual(status, PASS, error)
                texts.append(f'$ {" ".join([program.name, *command.split(), "--help"])}\n{output}')
            self.compare(ROOT / 'tests' / 'golden' / f'help-{program.name}.txt', '\n'.join(texts))

    def test_no_command_is_missing_here(self):
        for program, commands in COMMANDS.items():
            _, output, _ = run(program, '--help')
            listed = output.split('Subcommands:')[1].split('\n\n')[0]
            names = [line.split()[0] for line in listed.splitlines() if line.startswith('  ') and line[2] != ' ']
            self.assertEqual(names, [name for name in commands if ' ' not in name])

    def compare(self, path, text):
        if os.environ.get('RUSHPROOF_REBASELINE'):
            path.write_text(text, encoding='utf-8')
        self.assertEqual(path.read_text(encoding='utf-8'), text, 'RUSHPROOF_REBASELINE=1 writes it')


if __name__ == '__main__':
    unittest.main()
