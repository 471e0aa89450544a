#!/usr/bin/env python3
"""Goal: hidden nondeterminism is caught and located.
Method: a real clock, a salted hash order and an uninitialised read, planted in a service of the test build."""
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import MUTANTS, PASS, ROOT, UNKNOWN, run  # noqa: E402

SWARM = ROOT / 'scenarios' / 'fast' / 'swarm.yaml'


def replay(plant, *more):
    return run(MUTANTS, 'replay', SWARM, '--seed', '5', '--only', 'reservation=conditional',
               '--set', f'system.mutant={plant}', *more)


class Plants(unittest.TestCase):
    def caught(self, plant):
        status, output, error = replay(plant)
        self.assertEqual(status, UNKNOWN, output + error)
        self.assertRegex(output, r'first differing event: .*\d', 'the difference must be located')
        # Located: the sentence names the host on which it happened.
        self.assertTrue(re.search(r'(inventory|gateway|database)', output), output)

    def test_real_clock(self):
        self.caught('P01')

    def test_salted_hash_order(self):
        self.caught('P02')

    def test_uninitialised_read(self):
        self.caught('P03')

    def test_nothing_is_found_where_nothing_is(self):
        status, output, error = run(MUTANTS, 'replay', SWARM, '--seed', '5', '--only', 'reservation=conditional')
        self.assertEqual(status, PASS, output + error)


if __name__ == '__main__':
    unittest.main()
