#!/usr/bin/env python3
"""Goal: SIGTERM under load answers every accepted request; what was acknowledged is there after a restart.
Method: clients on keep-alive connections reserve without pause; a request whose bytes were sent must get an answer,
unless the server had closed the idle connection before (then nothing of it was read, and nothing of it is in the books)."""
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import RUSHPROOFD  # noqa: E402

CLIENTS = 12


class Server:
    def __init__(self, folder):
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [RUSHPROOFD, 'serve', '--role=all', '--listen=127.0.0.1:0', f'--database=sqlite:{folder}/test.db',
             f'--ready-fd={write}', '--log-level=warning'], pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as ready:
            self.address = json.loads(ready.readline())['http']

    def connection(self):
        return http.client.HTTPConnection(self.address, timeout=20)


def call(connection, method, path, body=None, key=None):
    headers = {'Content-Type': 'application/json', **({'Idempotency-Key': key} if key else {})}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or b'{}'), answer.getheader('connection', '')


class Client(threading.Thread):
    """Reserves until the server says close; remembers what it was told."""

    def __init__(self, server, number):
        super().__init__()
        self.server, self.number = server, number
        self.acknowledged, self.unanswered, self.count = [], [], 0

    def run(self):
        with contextlib.closing(self.server.connection()) as connection:
            self.reserve_until_closed(connection)

    def reserve_until_closed(self, connection):
        while True:
            key = f'client-{self.number}-{self.count}'
            self.count += 1
            try:
                status, body, closing = call(connection, 'POST', '/api/v1/reservations', {'sku': 'SKU-1', 'quantity': 1}, key)
            except ConnectionRefusedError:
                return
            except (http.client.RemoteDisconnected, ConnectionError):
                self.unanswered.append(key)
                return
            if status == 201:
                self.acknowledged.append(body['id'])
            if closing.lower() == 'close':
                return


class Drain(unittest.TestCase):
    def drained(self, signal_number):
        with tempfile.TemporaryDirectory() as folder:
            server = Server(folder)
            with contextlib.closing(server.connection()) as connection:
                status, _, _ = call(connection, 'PUT', '/api/v1/stock/SKU-1', {'on_hand': 1_000_000})
                self.assertEqual(status, 200)
            clients = [Client(server, number) for number in range(CLIENTS)]
            for client in clients:
                client.start()
            time.sleep(1.5)
            server.process.send_signal(signal_number)
            self.assertEqual(server.process.wait(timeout=30), 0)
            for client in clients:
                client.join(timeout=30)
            acknowledged = [name for client in clients for name in client.acknowledged]
            unanswered = [key for client in clients for key in client.unanswered]
            self.assertGreater(len(acknowledged), CLIENTS)
            self.assertEqual(unanswered, [], 'accepted requests were dropped')

            again = Server(folder)
            with contextlib.closing(again.connection()) as connection:
                for name in acknowledged:
                    status, body, _ = call(connection, 'GET', f'/api/v1/reservations/{name}')
                    self.assertEqual((status, body.get('state')), (200, 'held'))
            again.process.send_signal(signal.SIGTERM)
            self.assertEqual(again.process.wait(timeout=30), 0)

    def test_sigterm(self):
        self.drained(signal.SIGTERM)

    def test_sigint(self):
        self.drained(signal.SIGINT)


if __name__ == '__main__':
    unittest.main()
