#!/usr/bin/env python3
"""Goal: same seed, same build -> same trace hash; and the same for both compilers.
Method: 200 seeds of the swarm, and of the pipeline of messages, in different processes, folders and environments, by clang
and by g++."""
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import INVALID, PASS, ROOT, RUSHPROOF, RUSHPROOF_GCC, UNKNOWN, run  # noqa: E402

SWARM = ROOT / 'scenarios' / 'fast' / 'swarm.yaml'
PIPELINE = ROOT / 'scenarios' / 'fast' / 'pipeline.yaml'
SEEDS = 200
ONLY = ['--only', 'reservation=optimistic']
PIPELINE_ONLY = ['--only', 'victim=ingest', '--only', 'queue=memory']
OTHER = {'MALLOC_PERTURB_': '165', 'RUSHPROOF_PADDING': 'x' * 5000, 'TZ': 'Asia/Tokyo', 'LC_ALL': 'C.UTF-8'}


def hashes(program, scenario, only, environment=None, folder=ROOT):
    status, output, error = run(program, 'trace', scenario, '--seeds', f'1..{SEEDS}', *only, environment=environment,
                                folder=folder)
    if status != PASS:
        raise AssertionError(f'{program} ended with {status}: {error}')
    return output.splitlines()


class Determinism(unittest.TestCase):
    def compare_hashes(self, scenario, only):
        with tempfile.TemporaryDirectory() as elsewhere, ThreadPoolExecutor(2) as pool:
            first = pool.submit(hashes, RUSHPROOF, scenario, only)
            second = pool.submit(hashes, RUSHPROOF, scenario, only, environment=OTHER, folder=elsewhere)
            gcc = pool.submit(hashes, RUSHPROOF_GCC, scenario, only) if RUSHPROOF_GCC.exists() else None
            expected = first.result()
            self.assertEqual(len(expected), SEEDS)
            self.assertEqual(expected, second.result(), 'two processes of one build differ: rushproof replay locates it')
            if gcc is None:
                print('g++ build not there: compared clang with itself only')
            else:
                self.assertEqual(expected, gcc.result(), 'the compilers differ: rushproof replay --with locates it')
        values = {line.split()[-1] for line in expected}
        self.assertEqual(len(values), SEEDS, 'different seeds must give different hashes')

    def test_hashes(self):
        self.compare_hashes(SWARM, ONLY)

    def test_hashes_of_the_pipeline(self):
        self.compare_hashes(PIPELINE, PIPELINE_ONLY)

    def test_one_unit_of_stock_changes_the_hash(self):
        arguments = ['trace', SWARM, '--seeds', '3', *ONLY]
        _, before, _ = run(RUSHPROOF, *arguments)
        status, after, error = run(RUSHPROOF, *arguments, '--set', 'stock.set.EXTRA-1=7')
        self.assertEqual(status, PASS, error)
        _, once_more, _ = run(RUSHPROOF, *arguments, '--set', 'stock.set.EXTRA-1=8')
        self.assertEqual(len({text.splitlines()[1] for text in (before, after, once_more)}), 3)

    def test_a_tape_stands_for_the_seed(self):
        one = [*ONLY, '--seeds', '3']
        with tempfile.TemporaryDirectory() as folder:
            status, _, error = run(RUSHPROOF, 'run', SWARM, *one, '--out', folder, '--keep-all')
            self.assertEqual(status, PASS, error)
            directory, = Path(folder).glob('*-sim')
            status, output, error = run(RUSHPROOF, 'replay', directory)
            self.assertEqual(status, PASS, output + error)
            tape = directory / 'tape'
            lines = tape.read_text().splitlines()
            self.assertGreater(len(lines), 1000, 'a random schedule has many choices')
            _, expected, _ = run(RUSHPROOF, 'trace', SWARM, *one)
            # Another choice, another run: the tape is what decides.
            fields = lines[500].split()
            lines[500] = ' '.join([*fields[:-1], '0'])
            tape.write_text('\n'.join(lines) + '\n')
            _, changed, _ = run(RUSHPROOF, 'trace', SWARM, *one, '--tape', tape)
            self.assertNotEqual(expected.splitlines()[1], changed.splitlines()[1])
            status, output, _ = run(RUSHPROOF, 'replay', directory)
            self.assertEqual(status, UNKNOWN, output)
            tape.write_text('rushproof-tape 1\nnonsense\n')
            status, _, error = run(RUSHPROOF, 'trace', SWARM, *one, '--tape', tape)
            self.assertEqual(status, INVALID, error)
            self.assertIn('line 2', error)


if __name__ == '__main__':
    unittest.main()
