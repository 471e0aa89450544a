"""What tests of stacks share: a root folder of their own, and a look at every process that stands in it."""
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

STACK = Path(__file__).resolve().parent.parent / 'stack'
UNAVAILABLE = 77
GONE_WITHIN_S = 60


def variables_of(output):
    lines = (line.removeprefix('export ').split('=', 1) for line in output.splitlines() if line.startswith('export '))
    return {name: value.strip("'") for name, value in lines}


def eventually(condition, within_s=GONE_WITHIN_S):
    give_up = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


class StackCase(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix='stack-test-'))
        self.root.chmod(0o711)
        self.environment = {**os.environ, 'RUSHPROOF_STACK_ROOT': str(self.root)}
        # The template is no stack's: it may be the machine's.
        self.environment.setdefault('RUSHPROOF_STACK_CACHE', f'{tempfile.gettempdir()}/rushproof-stack-{os.getuid()}/cache')
        self.addCleanup(shutil.rmtree, self.root)
        self.addCleanup(self.stack, 'down', '--all')

    def stack(self, *arguments, status=0):
        done = subprocess.run([STACK, *arguments], env=self.environment, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        if done.returncode == UNAVAILABLE and status != UNAVAILABLE:
            self.skipTest(done.stderr)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stderr)
        return done

    def start(self, *arguments):
        return subprocess.Popen([STACK, *arguments], env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)

    def remains(self):
        """Processes that stand in the root folder, and folders of stacks."""
        found = list((self.root / 'stacks').iterdir()) if (self.root / 'stacks').exists() else []
        for process in Path('/proc').glob('[0-9]*'):
            try:
                standing = os.readlink(process / 'cwd')
            except OSError:
                continue
            if standing.startswith(str(self.root)):
                found.append(process)
        return found

    def assert_nothing_left(self):
        self.assertTrue(eventually(lambda: not self.remains()), self.remains())
