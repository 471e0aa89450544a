#!/usr/bin/env python3
"""Goal: on real PostgreSQL a read that a lagging replica serves misses its client's own writes without the position of
the write, and never with it.
Method: rushproofd on a primary and a replica of infra/stack, whose replay is paused while a client writes and reads; then
the scenario that shows it in virtual time, live."""
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import PASS, ROOT, RUSHPROOF, RUSHPROOFD, failed_checks, records, run  # noqa: E402

STACK = ROOT / 'infra' / 'stack' / 'stack'
STALE_READS = ROOT / 'scenarios' / 'negative' / 'stale-reads.yaml'
UNAVAILABLE = 77
# A busy machine makes the generator late: then latency is not judged, which says nothing about consistency.
LATE = 92
PATIENCE = 30  # seconds until a test gives up
POSITION = 'Rushproof-Position'


def eventually(condition):
    give_up = time.monotonic() + PATIENCE
    while not (met := condition()) and time.monotonic() < give_up:
        time.sleep(0.01)
    return met


class Replica(unittest.TestCase):
    def setUp(self):
        self.server = self.program([STACK, 'hold', 'postgres', '--fast'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        variables = {}
        while len(variables) < 6 and (line := self.server.stdout.readline()):
            name, _, value = line.removeprefix('export ').strip().partition('=')
            variables[name] = value.strip("'\"")
        if not variables:
            complaint = self.server.communicate()[1]
            self.assertEqual(self.server.returncode, UNAVAILABLE, complaint)
            self.skipTest(complaint)
        self.replica = variables['RUSHPROOF_POSTGRES_REPLICA_ADMIN_URL']
        self.start_service(variables['RUSHPROOF_POSTGRES_URL'], variables['RUSHPROOF_POSTGRES_REPLICA_URL'])

    def program(self, command, **options):
        child = subprocess.Popen(command, text=True, **options)
        self.addCleanup(child.wait, PATIENCE)
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                self.addCleanup(pipe.close)
        return child

    def start_service(self, primary, replica):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        reader, writer = os.pipe()
        service = self.program([RUSHPROOFD, 'serve', '--listen=127.0.0.1:0', f'--ready-fd={writer}', f'--database={primary}',
                                f'--database-replica={replica}', '--reads=replica'], pass_fds=[writer])
        self.addCleanup(service.terminate)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            host, port = json.loads(pipe.readline())['http'].rsplit(':', 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
        self.addCleanup(self.connection.close)

    def ask(self, method, path, body=None, position=None):
        """-> (status, parsed body, position)"""
        headers = {'Content-Type': 'application/json', 'Idempotency-Key': 'k', 'x-owner': 'alice'}
        if position is not None:
            headers[POSITION] = position
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content), answer.getheader(POSITION)

    def metric(self, name):
        self.connection.request('GET', '/metrics')
        lines = self.connection.getresponse().read().decode().splitlines()
        return sum(float(line.rpartition(' ')[2]) for line in lines if line.startswith(name))

    def replay(self, verb):
        subprocess.run(['psql', '-qtAX', '-d', self.replica, '-c', f'SELECT pg_wal_replay_{verb}()'], check=True,
                       capture_output=True)

    def is_paused(self):
        done = subprocess.run(['psql', '-qtAX', '-d', self.replica, '-c', 'SELECT pg_get_wal_replay_pause_state()'], check=True,
                              capture_output=True, text=True)
        return done.stdout.strip() == 'paused'

    def test_the_position_of_a_write_shows_it_and_nothing_else_does(self):
        stock = '/api/v1/stock/SKU-1'
        self.assertEqual(self.ask('PUT', stock, {'on_hand': 5})[0], 200)
        self.assertTrue(eventually(lambda: self.ask('GET', stock)[0] == 200))

        self.replay('pause')
        self.assertTrue(eventually(self.is_paused))
        status, made, position = self.ask('POST', '/api/v1/reservations', {'sku': 'SKU-1', 'quantity': 2})
        self.assertEqual(status, 201)
        path = f'/api/v1/reservations/{made["id"]}'
        self.assertEqual(self.ask('GET', path)[0], 404)
        self.assertEqual(self.ask('GET', stock)[1]['held'], 0)
        self.assertEqual(self.ask('GET', path, position=position)[1]['state'], 'held')
        self.assertEqual(self.ask('GET', stock, position=position)[1]['held'], 2)
        self.assertEqual(self.ask('GET', stock, position='latest')[1]['held'], 2)
        again = self.ask('POST', '/api/v1/reservations', {'sku': 'SKU-1', 'quantity': 2})
        self.assertEqual(self.ask('GET', path, position=again[2])[1]['state'], 'held')
        confirmed = self.ask('POST', path + '/confirm')
        self.assertEqual(self.ask('GET', path, position=confirmed[2])[1]['state'], 'confirmed')
        self.assertGreaterEqual(self.metric('database_replica_fallbacks_total{'), 4)
        self.assertEqual(self.ask('GET', stock, position='yesterday')[1]['code'], 'malformed')

        self.replay('resume')
        self.assertTrue(eventually(lambda: self.ask('GET', path)[1].get('state') == 'confirmed'))

    def test_the_scenario_shows_it_live(self):
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(RUSHPROOF, 'run', STALE_READS, '--seeds', '1', '--mode', 'live', '--json', '--out', out,
                                        '--set', 'system.database=postgres',
                                        environment={'RUSHPROOF_STACK_OPTIONS': '--fast'})
        failed = {record['cell']['position']: failed_checks(record) for record in records(output)}
        self.assertEqual(failed, {'true': [], 'false': ['read-your-writes']}, error)
        self.assertIn(status, (PASS, LATE), error)


if __name__ == '__main__':
    unittest.main()
