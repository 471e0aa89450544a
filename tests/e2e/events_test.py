#!/usr/bin/env python3
"""Goal: every event that a transaction committed reaches its topic, whichever process is killed and while the broker is away:
none is lost, none changes anything twice, and the order of each SKU is kept; by polling and by PostgreSQL's log.
Method: two real processes before a real PostgreSQL and a real broker. A trigger of the test's own writes down every event that
is committed; the feed, which reads the topic, has written down every one that came, and whether it came in its order. Run by
`infra/stack/stack run postgres nats kafka --fast --no-replica -- tests/e2e/events_test.py`."""
import contextlib
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time
import unittest
import uuid
from pathlib import Path
from urllib.parse import urlparse

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import ROOT, RUSHPROOFD  # noqa: E402

STACK = ROOT / 'infra' / 'stack'
PATIENCE = 60  # seconds until a test gives up; nothing here should take one
SKUS = [f'SKU-{number}' for number in range(6)]
AUDIT = """
CREATE TABLE audit (id text PRIMARY KEY, number bigint NOT NULL);
CREATE FUNCTION write_down() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO audit VALUES (NEW.id, NEW.number); RETURN NEW; END';
CREATE TRIGGER audit AFTER INSERT ON inventory.outbox FOR EACH ROW EXECUTE FUNCTION write_down();
"""


def wait_until(condition, what, patience=PATIENCE):
    give_up = time.monotonic() + patience
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError(f'waited in vain until {what}')
        time.sleep(0.05)


class Database:
    """A fresh one on the stack's server, for each test."""

    def __init__(self, name):
        self.name = name
        self.url = os.environ['RUSHPROOF_POSTGRES_URL'].rsplit('/', 1)[0] + '/' + name
        psql(os.environ['RUSHPROOF_POSTGRES_ADMIN_URL'], f'CREATE DATABASE {name} OWNER rushproof')

    def query(self, sql):
        return psql(self.url, sql)

    def number(self, sql):
        return int(self.query(sql)[0])


def psql(url, sql):
    done = subprocess.run(['psql', '--no-psqlrc', '-qtA', '-v', 'ON_ERROR_STOP=1', '-d', url, '-c', sql], capture_output=True,
                          text=True, check=False, timeout=PATIENCE)
    if done.returncode != 0:
        raise RuntimeError(f'{sql}: {done.stderr}')
    return done.stdout.split()


def variables_of(broker):
    return {'nats': {'NATS_URL': os.environ['RUSHPROOF_NATS_URL']},
            'kafka': {'KAFKA_BROKERS': os.environ['RUSHPROOF_KAFKA_BROKERS']}}[broker]


class Server:
    def __init__(self, database, broker, by, *arguments):
        reader, writer = os.pipe()
        self.process = subprocess.Popen(
            [RUSHPROOFD, 'serve', '--role=gateway,inventory', '--listen=127.0.0.1:0', f'--database={database.url}',
             f'--ready-fd={writer}', '--log-level=warning', *arguments],
            pass_fds=[writer], env={**os.environ, **variables_of(broker), 'EVENTS_TO': broker, 'EVENTS_BY': by})
        os.close(writer)
        with os.fdopen(reader) as ready:
            line = ready.readline()
        if not line:
            raise RuntimeError('it did not start')
        self.address = json.loads(line)['http']

    def call(self, method, path, body=None, **headers):
        with contextlib.closing(http.client.HTTPConnection(self.address, timeout=10)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def metric(self, name):
        for line in self.call('GET', '/metrics')[1].decode().splitlines():
            if line.startswith((name + ' ', name + '{')):
                return float(line.rsplit(' ', 1)[1])
        return None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Clients:
    """Reserve, confirm and release, at whichever server answers, until they are told to stop."""

    def __init__(self, servers, count=6):
        self.servers, self.stopping, self.done = servers, threading.Event(), 0
        self.threads = [threading.Thread(target=self.run, args=[number]) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        draws = random.Random(number)
        while not self.stopping.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.buy(draws, draws.choice(self.servers))

    def buy(self, draws, server):
        status, body = server.call('POST', '/api/v1/reservations', {'sku': draws.choice(SKUS), 'quantity': 1},
                                   **{'Idempotency-Key': str(uuid.UUID(int=draws.getrandbits(128)))})
        if status != 201:
            time.sleep(0.01)
            return
        self.done += 1
        ending = draws.choice(['confirm', 'release'])
        server.call('POST', f'/api/v1/reservations/{json.loads(body)["id"]}/{ending}')

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(PATIENCE)


class Events(unittest.TestCase):
    def start(self, broker, by):
        server = Server(self.database, broker, by)
        self.addCleanup(server.kill)
        return server

    def set_up(self, broker, by):
        if broker == 'kafka' and os.environ['RUSHPROOF_KAFKA_KIND'] != 'apache':
            self.skipTest('no Apache Kafka here, only its stand-in, which keeps nothing over a crash')
        self.broker(broker, 'reset')  # of what the last test left
        self.database = Database(f'events_{broker}_{by}_{uuid.uuid4().hex[:6]}')
        subprocess.run([RUSHPROOFD, 'migrate', f'--database={self.database.url}'], check=True, timeout=PATIENCE)
        self.database.query(AUDIT)
        self.addCleanup(self.drop_slots)
        servers = [self.start(broker, by), self.start(broker, by)]
        for sku in SKUS:
            self.assertEqual(servers[0].call('PUT', f'/api/v1/stock/{sku}', {'on_hand': 1_000_000})[0], 200)
        return servers

    def drop_slots(self):
        """What a slot keeps, its server keeps for ever."""
        def dropped():
            self.database.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                                "WHERE database = current_database() AND NOT active")
            return self.database.number(
                'SELECT count(*) FROM pg_replication_slots WHERE database = current_database()') == 0
        wait_until(dropped, 'nobody reads the log')

    def broker(self, broker, script, *arguments):
        folder = os.environ[f'RUSHPROOF_{broker.upper()}_FOLDER']
        subprocess.run([STACK / broker / script, folder, *arguments], check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)

    def check(self, broker, by):
        servers = self.set_up(broker, by)
        clients = Clients(servers)
        self.addCleanup(clients.stop)
        wait_until(lambda: self.came() > 200, 'events come')
        victim = self.reader_of(servers) if by == 'log' else 0
        servers[victim].kill()
        time.sleep(1)
        servers[victim] = self.start(broker, by)
        before = self.came()
        wait_until(lambda: self.came() > before + 200, 'events come after the kill')
        self.broker(broker, 'stop', '--crash')
        time.sleep(3)
        waiting = self.database.number('SELECT count(*) FROM inventory.outbox')
        self.assertGreater(waiting, 50, 'events wait for the broker')
        self.assertTrue(any(server.metric('inventory_outbox_backlog') for server in servers))
        self.assertTrue(any(server.metric('inventory_failed_deliveries_total') for server in servers))
        self.broker(broker, 'restart')
        clients.stop()
        self.assertGreater(clients.done, 200)
        wait_until(lambda: self.database.query('SELECT id FROM inventory.outbox LIMIT 1') == [], 'all events are published')
        wait_until(lambda: self.came() == self.database.number('SELECT count(*) FROM audit'), 'all events have come')
        self.check_feed()
        for server in servers:
            self.assertEqual(server.metric('inventory_outbox_dead'), 0)
        self.assertTrue(any(server.metric('inventory_outbox_seconds_count') for server in servers))
        looking = servers if by == 'polling' else [servers[self.reader_of(servers)]]
        wait_until(lambda: not any(server.metric('inventory_outbox_backlog') for server in looking), 'metrics say so')
        for server in servers:
            server.process.terminate()
            self.assertEqual(server.process.wait(timeout=PATIENCE), 0)

    def came(self):
        return self.database.number('SELECT count(*) FROM inventory.inbox')

    def reader_of(self, servers):
        reading = [number for number, server in enumerate(servers) if server.metric('inventory_outbox_reads_log')]
        self.assertEqual(len(reading), 1, 'one at a time reads the log')
        return reading[0]

    def check_feed(self):
        """What came is what was committed, each once and in its order."""
        self.assertEqual(self.database.query('SELECT id FROM audit EXCEPT SELECT id FROM inventory.inbox'), [])
        self.assertEqual(self.database.query('SELECT id FROM inventory.inbox EXCEPT SELECT id FROM audit'), [])
        self.assertEqual(self.database.query('SELECT sku FROM inventory.feed WHERE disorder > 0'), [])
        self.assertEqual(self.database.query(
            'SELECT sku, on_hand, held, sold FROM inventory.feed EXCEPT SELECT sku, on_hand, held, sold FROM inventory.stock'), [])

    def test_nats_by_polling(self):
        self.check('nats', 'polling')

    def test_nats_by_log(self):
        self.check('nats', 'log')

    def test_kafka_by_polling(self):
        self.check('kafka', 'polling')

    def test_kafka_by_log(self):
        self.check('kafka', 'log')

    def test_the_log_says_why_it_cannot_be_read(self):
        self.database = Database(f'modest_{uuid.uuid4().hex[:6]}')
        url = urlparse(self.database.url)
        psql(os.environ['RUSHPROOF_POSTGRES_ADMIN_URL'],
             f"CREATE ROLE {self.database.name} LOGIN PASSWORD 'x'; ALTER DATABASE {self.database.name} OWNER TO {self.database.name}")
        modest = f'postgresql://{self.database.name}:x@{url.hostname}:{url.port}{url.path}'
        done = subprocess.run([RUSHPROOFD, 'serve', '--role=gateway,inventory', '--listen=127.0.0.1:0', f'--database={modest}',
                               '--events-by=log'], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f'ALTER ROLE {self.database.name} REPLICATION', done.stderr)


if __name__ == '__main__':
    unittest.main()
