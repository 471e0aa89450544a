"""The pipeline of messages as real processes, for tests: gateway, ingest and processor, their clients, and what they left."""
import contextlib
import http.client
import http.server
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import RUSHPROOFD  # noqa: E402

PATIENCE = 30  # seconds until a test gives up; nothing here should take one


class Process:
    """One rushproofd, told by the variables that clients of the pipeline know."""

    def __init__(self, role, *arguments, port=0, **variables):
        reader, writer = os.pipe()
        port_variable = {'ingest': 'INGEST_PORT', 'processor': 'PROCESSOR_PORT'}.get(role, 'API_PORT')
        self.child = subprocess.Popen(
            [RUSHPROOFD, 'serve', f'--role={role}', f'--ready-fd={writer}', '--log-level=warning', '--drain-grace=100ms',
             *arguments],
            pass_fds=[writer], env={**os.environ, port_variable: str(port), **variables})
        os.close(writer)
        with os.fdopen(reader) as pipe:
            line = pipe.readline()
        if not line:
            raise RuntimeError(f'{role} did not start')
        self.addresses = json.loads(line)
        self.address = self.addresses['http']
        self.url = f'http://{self.address}'

    def end(self, number=signal.SIGTERM):
        """-> exit code"""
        self.child.send_signal(number)
        return self.child.wait(timeout=PATIENCE)

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()


def ask(address, method, path, body=None, **headers):
    """-> (status, parsed body, fields)"""
    with contextlib.closing(http.client.HTTPConnection(address, timeout=PATIENCE)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body),
                           {name.replace('_', '-'): value for name, value in headers.items()})
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None, answer.headers


def wait_until(condition, what, patience=PATIENCE):
    give_up = time.monotonic() + patience
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError(f'waited in vain until {what}')
        time.sleep(0.02)


class Inventory:
    """Answers calls to reserve once its gate is open; until then every call waits."""

    def __init__(self):
        gate = self.gate = threading.Event()
        calls = self.calls = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                self.rfile.read(int(self.headers['content-length']))
                calls.append(self.headers['idempotency-key'])
                gate.wait(PATIENCE)
                answer = b'\x00'  # ok, and a reservation without members
                self.send_response(200)
                self.send_header('content-length', str(len(answer)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # whoever called may be dead
                    self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}'

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


class PipelineCase(unittest.TestCase):
    QUEUE = 'memory'
    VARIABLES: dict[str, str] = {}  # of ingest and processor
    PATIENCE = PATIENCE  # until the queue is there, and empty
    KEEPS_ORDER = True

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start_processor(self, *arguments, port=0, **variables):
        self.processor = Process('processor', f'--database=sqlite:{self.folder}/processor.db', *arguments, port=port,
                                 QUEUE_TYPE=self.QUEUE, **self.VARIABLES, **variables)
        self.addCleanup(self.processor.kill)
        return self.processor

    def start(self, *processor_arguments, **variables):
        self.start_processor(*processor_arguments, **variables)
        self.ingest = Process('ingest', PROCESSOR_URL=self.processor.url, QUEUE_TYPE=self.QUEUE, **self.VARIABLES)
        self.addCleanup(self.ingest.kill)
        self.gateway = Process('gateway', INGEST_URL=self.ingest.url, PROCESSOR_URL=self.processor.url)
        self.addCleanup(self.gateway.kill)
        self.wait_until_well(self.gateway)

    def wait_until_well(self, process):
        """Its queue is found after it has begun to listen."""
        wait_until(lambda: ask(process.address, 'GET', '/health')[0] == 200, 'all is well', self.PATIENCE)

    def start_with_inventory(self, **variables):
        inventory = Inventory()
        self.addCleanup(inventory.close)
        self.start(f'--inventory-url={inventory.url}', **variables)
        return inventory

    def rows(self, table='processor_result'):
        """Ids in the processor's database, which has ended."""
        with contextlib.closing(sqlite3.connect(self.folder / 'processor.db')) as database:
            return [id for id, in database.execute(f'SELECT message_id FROM {table}')]

    def effects(self):
        """key -> ids in the order of their effects, in the processor's database, which has ended."""
        found = {}
        with contextlib.closing(sqlite3.connect(self.folder / 'processor.db')) as database:
            for key, id in database.execute('SELECT key, message_id FROM processor_result ORDER BY number'):
                found.setdefault(key, []).append(id)
        return found

    def processed(self):
        return ask(self.gateway.address, 'GET', '/api/v1/status')[1]['processor']['stats']['pool']['processed']

    def ingest_one(self, data='x', **fields):
        return ask(self.gateway.address, 'POST', '/api/v1/ingest', {'source': 'test', 'data': data, **fields})

    def reserve_later(self, sku):
        return ask(self.gateway.address, 'POST', '/api/v1/reservations', {'sku': sku, 'quantity': 1},
                   Prefer='respond-async', Idempotency_Key=str(uuid.uuid4()))


class Clients:
    """Each sends one message after the other under a key of its own, until end()."""

    def __init__(self, address, count=8):
        self.accepted = {f'client-{i}': [] for i in range(count)}  # key -> ids, as they were answered
        self.refused = 0
        self.unknown = 0
        self._address = address
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=[key]) for key in self.accepted]
        for thread in self._threads:
            thread.start()

    def _send(self, key):
        with contextlib.closing(http.client.HTTPConnection(self._address, timeout=PATIENCE)) as connection:
            while not self._stop.is_set():
                connection.request('POST', '/api/v1/ingest', json.dumps({'source': key, 'data': 'x' * 100}))
                answer = connection.getresponse()
                content = json.loads(answer.read())
                if answer.status == 200:
                    self.accepted[key].append(content['messageId'])
                    continue
                self.refused += answer.status != 504
                self.unknown += answer.status == 504
                time.sleep(0.01)

    def count(self):
        return sum(map(len, self.accepted.values()))

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)


class LoadCase(PipelineCase):
    def start_clients(self):
        clients = Clients(self.gateway.address)
        self.addCleanup(clients.end)
        return clients

    def unfinished(self):
        """None while nobody knows."""
        processor = ask(self.gateway.address, 'GET', '/api/v1/status')[1]['processor']
        return processor['stats']['queue']['unfinished'] if processor['healthy'] else None

    def settle(self, clients):
        """Ends the clients and, once all is done, the processor. -> how many messages are lost; nothing else is wrong"""
        clients.end()
        wait_until(lambda: self.unfinished() == 0, 'the queue is empty', self.PATIENCE)
        self.assertEqual(self.processor.end(), 0)
        return self.lost(clients)

    def lost(self, clients):
        effects = self.effects()
        ids = [id for of_key in effects.values() for id in of_key]
        self.assertEqual(len(ids), len(set(ids)), 'an effect is there twice')
        lost = ghosts = 0
        for key, accepted in clients.accepted.items():
            done = effects.get(key, [])
            known, there = set(accepted), set(done)
            if self.KEEPS_ORDER:
                self.assertEqual([id for id in done if id in known], [id for id in accepted if id in there], f'the order of {key}')
            lost += len(known - there)
            ghosts += len(there - known)
        self.assertLessEqual(ghosts, clients.unknown, 'what was refused was processed')
        self.assertGreater(clients.count(), 100)
        return lost

    def kill_under_load(self):
        """-> how many messages are lost"""
        self.start()
        port = int(self.processor.address.rsplit(':', 1)[1])
        clients = self.start_clients()
        time.sleep(1)
        self.processor.kill()
        time.sleep(0.2)
        before = clients.count()
        self.start_processor(port=port)
        wait_until(lambda: clients.count() > before + 100, 'messages are accepted again', self.PATIENCE)
        return self.settle(clients)
