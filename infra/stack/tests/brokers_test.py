#!/usr/bin/env python3
"""Goal: private brokers keep their data and their address over a crash and a restart, lose both only when
asked to, and leave nothing behind.
Method: the real servers; NATS is spoken to in its own text protocol, RabbitMQ by the first bytes of its."""
import json
import os
import signal
import socket
import subprocess
import unittest
from pathlib import Path
from urllib.parse import urlparse

from stack_case import StackCase, eventually, variables_of

SCRIPTS = Path(__file__).resolve().parent.parent


def nats(url, subject, body=b''):
    """Asks a NATS server, and returns the answer's body."""
    at = urlparse(url)
    with socket.create_connection((at.hostname, at.port), timeout=10) as connection:
        hello = json.dumps({'user': at.username, 'pass': at.password, 'verbose': False})
        connection.sendall(f'CONNECT {hello}\r\nSUB answer 1\r\nPUB {subject} answer {len(body)}\r\n'.encode() + body + b'\r\n')
        lines = connection.makefile('rb')
        while not (line := lines.readline()).startswith(b'MSG'):
            if not line or line.startswith(b'-ERR'):
                raise ConnectionError(line)
        return json.loads(lines.read(int(line.split()[-1])))


def speaks_amqp(url):
    at = urlparse(url)
    try:
        with socket.create_connection((at.hostname, at.port), timeout=10) as connection:
            connection.sendall(b'AMQP\0\0\x09\x01')
            return connection.recv(1) == b'\x01'
    except OSError:
        return False


class BrokersTest(StackCase):
    def script(self, server, name, folder, *arguments):
        return subprocess.run([SCRIPTS / server / name, folder, *arguments], capture_output=True, text=True, check=False)

    def messages(self, url):
        return nats(url, '$JS.API.STREAM.INFO.fruit').get('state', {}).get('messages')

    def test_nats_keeps_what_it_acknowledged_over_a_crash(self):
        variables = variables_of(self.stack('up', 'nats').stdout)
        url, folder = variables['RUSHPROOF_NATS_URL'], variables['RUSHPROOF_NATS_FOLDER']
        self.stack('ready')
        nats(url, '$JS.API.STREAM.CREATE.fruit', json.dumps({'name': 'fruit', 'subjects': ['fruit.*'], 'storage': 'file'}).encode())
        self.assertEqual(nats(url, 'fruit.apple', b'sweet')['seq'], 1)
        self.script('nats', 'stop', folder, '--crash')
        self.assertNotEqual(self.script('nats', 'ready', folder).returncode, 0)
        self.assertEqual(self.script('nats', 'restart', folder).returncode, 0)
        self.assertEqual(self.messages(url), 1)
        self.assertEqual(self.script('nats', 'restart', folder).returncode, 0)  # in order
        self.assertEqual(self.messages(url), 1)
        self.stack('reset')
        self.assertIsNone(self.messages(url))
        self.assertIn('Server is ready', self.stack('logs').stdout)
        self.stack('down')
        self.assertEqual(self.remains(), [])

    def test_settings_are_handed_on_and_bad_ones_refused(self):
        program = 'test -n "$RUSHPROOF_NATS_URL" && cat "$RUSHPROOF_NATS_FOLDER/data/nats.conf"'
        done = self.stack('run', 'nats', '--fast', '--set', 'nats.max_payload=65536', '--', 'sh', '-c', program)
        self.assertIn('max_payload: 65536', done.stdout)
        self.assertIn('does not start', self.stack('up', 'nats', '--set', 'nats.max_payload=many', status=1).stderr)
        self.assertEqual(self.remains(), [])

    def test_a_paused_server_is_stopped_too(self):
        variables = variables_of(self.stack('up', 'nats').stdout)
        os.kill(int(Path(variables['RUSHPROOF_NATS_FOLDER'], 'pid').read_text(encoding='utf-8')), signal.SIGSTOP)
        self.stack('down')
        self.assertEqual(self.remains(), [])

    def test_killing_run_ends_the_servers(self):
        for server in ('nats', 'rabbitmq'):
            with self.subTest(server):
                running = self.start('run', server, '--', 'sh', '-c', 'echo $$; exec sleep 1000')
                if not running.stdout.readline().strip():
                    self.skipTest(f'no {server}')
                self.assertNotEqual(self.remains(), [])
                running.send_signal(signal.SIGKILL)
                running.communicate()
                self.assert_nothing_left()

    def test_rabbitmq_comes_back_where_it_was(self):
        daemons = set(subprocess.run(['pgrep', '-x', 'epmd'], capture_output=True, text=True, check=False).stdout.split())
        variables = variables_of(self.stack('up', 'rabbitmq', 'nats').stdout)  # side by side
        url, folder = variables['RUSHPROOF_RABBITMQ_URL'], variables['RUSHPROOF_RABBITMQ_FOLDER']
        self.stack('ready')
        self.assertTrue(speaks_amqp(url))
        self.script('rabbitmq', 'stop', folder, '--crash')
        self.assertFalse(speaks_amqp(url))
        self.assertEqual(self.script('rabbitmq', 'restart', folder).returncode, 0)
        self.assertTrue(speaks_amqp(url))
        self.assertTrue(eventually(lambda: 'Server startup complete' in self.stack('logs').stdout))
        after = set(subprocess.run(['pgrep', '-x', 'epmd'], capture_output=True, text=True, check=False).stdout.split())
        self.assertLessEqual(after, daemons)
        self.stack('down')
        self.assertEqual(self.remains(), [])


if __name__ == '__main__':
    unittest.main()
