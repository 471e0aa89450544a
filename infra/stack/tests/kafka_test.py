#!/usr/bin/env python3
"""Goal: a private Kafka answers, keeps its data over a crash and a restart, leaves nothing behind, and where there is
none its stand-in says what it is.
Method: the real server by `stack`; a topic written into its log by kafka's own tools would take seconds of Java, so
that data stay is seen by the server's own cluster metadata, and by the C++ tests of core/real/kafka."""
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

STACK = Path(__file__).resolve().parent.parent / 'stack'
KAFKA = STACK.parent / 'kafka'
UNAVAILABLE = 77


def variables_of(output):
    lines = (line.removeprefix('export ').split('=', 1) for line in output.splitlines() if line.startswith('export '))
    return {name: value.strip("'") for name, value in lines}


def runs(pid):
    """Whether it does; one that has ended may wait for somebody to ask how."""
    try:
        return bool(os.readlink(f'/proc/{pid}/exe'))
    except OSError:
        return False


class KafkaTest(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix='kafka-test-'))
        self.root.chmod(0o711)
        self.environment = {**os.environ, 'RUSHPROOF_STACK_ROOT': str(self.root)}
        # The jars are no stack's: they may be the machine's.
        self.environment.setdefault('RUSHPROOF_STACK_CACHE', f'{tempfile.gettempdir()}/rushproof-stack-{os.getuid()}/cache')
        self.addCleanup(shutil.rmtree, self.root)
        self.addCleanup(self.run_program, STACK, 'down', '--all')

    def run_program(self, *arguments, status=0):
        done = subprocess.run([*map(str, arguments)], env=self.environment, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        if done.returncode == UNAVAILABLE and status != UNAVAILABLE:
            self.skipTest(done.stderr)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def up(self, *options):
        variables = variables_of(self.run_program(STACK, 'up', 'kafka', *options).stdout)
        self.folder = Path(variables['RUSHPROOF_KAFKA_FOLDER'])
        return variables

    def pid(self):
        return int((self.folder / 'pid').read_text(encoding='utf-8'))

    def up_real(self, *options):
        if self.up(*options)['RUSHPROOF_KAFKA_KIND'] != 'apache':
            self.skipTest('no Apache Kafka here, only its stand-in')

    def test_it_answers_again_after_a_crash_a_restart_and_a_reset(self):
        self.up_real('--fast', '--set', 'kafka.message.max.bytes=2000000')
        self.assertIn('message.max.bytes=2000000', (self.folder / 'server.properties').read_text(encoding='utf-8'))
        self.run_program(KAFKA / 'ready', self.folder)
        identity = (self.folder / 'data/meta.properties').read_text(encoding='utf-8')
        metadata = self.folder / 'data/__cluster_metadata-0/00000000000000000000.log'
        first = self.pid()
        self.run_program(KAFKA / 'stop', self.folder, '--crash')
        self.assertFalse(runs(first))
        self.run_program(KAFKA / 'ready', self.folder, status=1)
        before = metadata.read_bytes().rstrip(b'\0')
        self.run_program(KAFKA / 'restart', self.folder)
        self.run_program(KAFKA / 'ready', self.folder)
        self.assertNotEqual(self.pid(), first)
        self.assertTrue(metadata.read_bytes().startswith(before))
        self.run_program(KAFKA / 'restart', self.folder)  # in order
        self.assertTrue(metadata.read_bytes().startswith(before))
        self.run_program(KAFKA / 'reset', self.folder)
        self.run_program(KAFKA / 'ready', self.folder)
        self.assertFalse(metadata.read_bytes().startswith(before))
        self.assertEqual((self.folder / 'data/meta.properties').read_text(encoding='utf-8'), identity)
        self.assertIn('Kafka Server started', self.run_program(KAFKA / 'logs', self.folder).stdout)

    def test_down_leaves_nothing_not_even_one_that_hangs(self):
        self.up_real('--fast')
        pid = self.pid()
        os.kill(pid, signal.SIGSTOP)
        self.run_program(STACK, 'down')
        self.assertFalse(runs(pid))
        self.assertFalse(self.folder.exists())

    def test_messages_go_to_the_disk_unless_it_need_not_last(self):
        self.environment['RUSHPROOF_KAFKA_JAVA_OPTIONS'] = '-XX:TieredStopAtLevel=4 -Dasked=yes'
        self.up_real()
        words = Path(f'/proc/{self.pid()}/cmdline').read_text(encoding='utf-8').split('\0')
        self.assertLess(words.index('-XX:TieredStopAtLevel=1'), words.index('-XX:TieredStopAtLevel=4'))
        self.assertIn('-Dasked=yes', words)
        self.assertIn('\nlog.flush.interval.messages=1\n', (self.folder / 'server.properties').read_text(encoding='utf-8'))

    def test_the_stand_in_says_what_it_is(self):
        self.environment['RUSHPROOF_KAFKA_KIND'] = 'mock'
        done = self.run_program(STACK, 'up', 'kafka', '--fast')
        self.assertIn('NO APACHE KAFKA', done.stderr)
        variables = variables_of(done.stdout)
        self.assertEqual(variables['RUSHPROOF_KAFKA_KIND'], 'mock')
        self.assertEqual(variables['RUSHPROOF_KAFKA_BROKERS'].count(':'), 3)
        self.folder = Path(variables['RUSHPROOF_KAFKA_FOLDER'])
        self.run_program(KAFKA / 'ready', self.folder)
        self.assertIn('cannot be restarted', self.run_program(KAFKA / 'restart', self.folder, status=UNAVAILABLE).stderr)

    def test_jars_that_are_not_the_pinned_ones_are_refused(self):
        if shutil.which('mvn') is None:
            self.skipTest('no mvn')
        kafka = self.root / 'kafka'
        shutil.copytree(KAFKA, kafka)
        shutil.copy(KAFKA.parent / 'server.sh', kafka.parent)
        hashes = (kafka / 'jars.sha256').read_text(encoding='utf-8')
        (kafka / 'jars.sha256').write_text('0' * 64 + hashes[64:], encoding='utf-8')
        self.environment |= {'RUSHPROOF_STACK_CACHE': str(self.root / 'cache'), 'RUSHPROOF_KAFKA_MOCK': '/bin/true'}
        done = subprocess.run([kafka / 'start', self.root / 'server', '--fast'], env=self.environment, capture_output=True,
                              text=True, check=False)
        if 'NO APACHE KAFKA' in done.stderr or done.returncode == UNAVAILABLE:
            self.skipTest('Maven Central cannot be reached')
        self.assertEqual(done.returncode, 1)
        self.assertIn('not those of jars.sha256', done.stderr)


if __name__ == '__main__':
    unittest.main()
