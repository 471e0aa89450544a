"""Goal: rushproofd starts, serves, drains and ends as it promises, whatever arrives while it does.
Method: real processes on free ports, raw HTTP connections, real signals; the ledger tells what was
done, the clients know what they were told."""
import http.client
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

PROGRAM = os.environ['RUSHPROOFD']
PATIENCE = 20  # seconds until a test gives up; nothing here should take one


class Process:
    """One rushproofd; `http` and `rpc` are its addresses."""

    def __init__(self, *arguments, listen='127.0.0.1:0'):
        reader, writer = os.pipe()
        self.child = subprocess.Popen(
            [PROGRAM, 'serve', f'--listen={listen}', f'--ready-fd={writer}', *arguments],
            pass_fds=[writer], stderr=subprocess.PIPE, text=True)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            line = pipe.readline()
        if not line:
            raise RuntimeError(self.child.communicate(timeout=PATIENCE)[1])
        addresses = json.loads(line)
        self.http, self.rpc = addresses['http'], addresses['rpc']

    def signal(self, number):
        self.child.send_signal(number)

    def end(self):
        """-> (exit code, log)"""
        _, log = self.child.communicate(timeout=PATIENCE)
        return self.child.returncode, log

    def kill(self):
        self.child.kill()
        self.child.wait()
        self.child.stderr.close()

    def connect(self):
        host, port = self.http.rsplit(':', 1)
        return http.client.HTTPConnection(host, int(port), timeout=PATIENCE)


def ask(connection, method, path, body=None, **headers):
    """-> (status, parsed body, does the server close the connection)"""
    text = None if body is None else json.dumps(body)
    if text is not None:
        headers['Content-Type'] = 'application/json'
    connection.request(method, path, text, {name.replace('_', '-'): value for name, value in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    parsed = json.loads(content) if 'json' in answer.getheader('content-type', '') else content.decode()
    return answer.status, parsed, answer.getheader('connection') == 'close'


def wait_until_ready(connection):
    """A processor finds its queue after it has begun to listen."""
    give_up = time.monotonic() + PATIENCE
    while ask(connection, 'GET', '/health/ready')[0] != 200 and time.monotonic() < give_up:
        time.sleep(0.01)


def field_of(connection, name, method, path, body=None, **headers):
    """A field of the answer."""
    connection.request(method, path, json.dumps(body), {key.replace('_', '-'): value for key, value in headers.items()})
    answer = connection.getresponse()
    answer.read()
    return answer.getheader(name)


class HostTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.database = f'--database=sqlite:{self.folder}/test.db'

    def start(self, *arguments, **options):
        process = Process(*arguments, **options)
        self.addCleanup(process.kill)
        return process

    def connect(self, process):
        connection = process.connect()
        self.addCleanup(connection.close)
        return connection

    def refused(self, *arguments, **environment):
        done = subprocess.run([PROGRAM, *arguments], env={**os.environ, **environment}, capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
        return done.returncode, done.stderr

    def reserved_in_ledger(self):
        """How many reservations the database holds, asked of a new process."""
        process = self.start(self.database)
        connection = self.connect(process)
        count, after = 0, 0
        while True:
            status, page, _ = ask(connection, 'GET', f'/api/v1/stock/SKU-1/ledger?after={after}&limit=1000')
            self.assertEqual(status, 200, page)
            if not page['entries']:
                process.kill()
                return count
            count += sum(entry['kind'] == 'reserve' for entry in page['entries'])
            after = page['entries'][-1]['number']

    def test_serves_and_describes_itself(self):
        process = self.start(self.database)
        connection = self.connect(process)
        self.assertEqual(ask(connection, 'GET', '/health/live')[:2], (200, {'status': 'live'}))
        wait_until_ready(connection)
        self.assertEqual(ask(connection, 'GET', '/health/ready')[:2], (200, {'status': 'ready'}))
        self.assertEqual(ask(connection, 'GET', '/openapi.json')[1]['openapi'][:3], '3.1')
        status, metrics, _ = ask(connection, 'GET', '/metrics')
        self.assertEqual(status, 200)
        self.assertIn('http_answers_total{code="2xx",server="http"} 4', metrics)
        self.assertEqual(ask(connection, 'GET', '/nothing')[0], 404)
        self.assertEqual(ask(connection, 'DELETE', '/health/live')[0], 405)

    def test_says_what_keeps_it_from_starting(self):
        code, complaint = self.refused('serve', RUSHPROOF_RESERVATION_TTL='10x')
        self.assertEqual(code, 2)
        self.assertIn('RUSHPROOF_RESERVATION_TTL is "10x"', complaint)
        process = self.start(self.database)
        code, complaint = self.refused('serve', '--listen', process.http, f'--database=sqlite:{self.folder}/b')
        self.assertEqual(code, 1)
        self.assertIn('already in use', complaint)
        code, complaint = self.refused('serve', '--listen=127.0.0.1:0', self.database)
        self.assertEqual(code, 1)
        self.assertIn('test.db', complaint)
        code, complaint = self.refused('migrate', '--database=sqlite:/nowhere/x.db')
        self.assertEqual(code, 1)
        self.assertIn('/nowhere/x.db', complaint)

    def test_migrates_as_often_as_it_is_asked(self):
        for _ in range(2):
            self.assertEqual(self.refused('migrate', self.database), (0, ''))

    def test_roles_in_processes_of_their_own(self):
        inventory = self.start('--role=inventory', '--rpc-listen=127.0.0.1:0', self.database)
        gateway = self.start('--role=gateway', f'--inventory-url=http://{inventory.rpc}', '--request-timeout=2s')
        connection = self.connect(gateway)
        self.assertEqual(ask(connection, 'GET', '/health/ready')[0], 200)
        self.assertEqual(ask(connection, 'PUT', '/api/v1/stock/SKU-1', {'on_hand': 3})[0], 200)
        wish = {'sku': 'SKU-1', 'quantity': 2}
        first = ask(connection, 'POST', '/api/v1/reservations', wish, Idempotency_Key='k', X_Owner='me')
        again = ask(connection, 'POST', '/api/v1/reservations', wish, Idempotency_Key='k', X_Owner='me')
        self.assertEqual(first[0], 201, first)
        self.assertEqual(first[1]['owner'], 'me')
        self.assertEqual(again[1]['id'], first[1]['id'])
        refused = ask(connection, 'POST', '/api/v1/reservations', wish, Idempotency_Key='l')
        self.assertEqual((refused[0], refused[1]['code']), (409, 'insufficient-stock'))
        self.assertEqual(ask(self.connect(inventory), 'GET', '/api/v1/stock/SKU-1')[0], 404)
        inventory.kill()
        self.assertEqual(ask(connection, 'GET', '/health/ready')[0], 503)
        self.assertEqual(ask(connection, 'GET', '/api/v1/stock/SKU-1')[0], 503)
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.end()[0], 0)

    def shard(self, number, count):
        return self.start('--role=inventory', '--rpc-listen=127.0.0.1:0', f'--shard={number}/{count}',
                          f'--database=sqlite:{self.folder}/shard-{number}.db')

    def test_shards_are_one_shop_and_a_wrong_map_sells_nothing(self):
        first, second = self.shard(1, 2), self.shard(2, 2)
        gateways = [self.start('--role=gateway', f'--inventory-url={urls}') for urls in
                    (f'http://{first.rpc};http://{second.rpc}', f'http://{second.rpc};http://{first.rpc}')]
        right, wrong = [self.connect(gateway) for gateway in gateways]
        self.assertEqual([ask(gateway, 'GET', '/health/ready')[0] for gateway in (right, wrong)], [200, 503])
        skus = [f'SKU-{number}' for number in range(8)]
        for sku in skus:
            self.assertEqual(ask(right, 'PUT', f'/api/v1/stock/{sku}', {'on_hand': 1})[0], 200)
            wish = {'sku': sku, 'quantity': 1}
            refused = ask(wrong, 'POST', '/api/v1/reservations', wish, Idempotency_Key=f'wrong-{sku}')
            self.assertEqual((refused[0], refused[1]['code']), (421, 'wrong-shard'))
            status, made, _ = ask(right, 'POST', '/api/v1/reservations', wish, Idempotency_Key=f'right-{sku}')
            self.assertEqual(status, 201, made)
            self.assertEqual(ask(right, 'POST', f'/api/v1/reservations/{made["id"]}/confirm')[0], 200)
        page = ask(right, 'GET', '/api/v1/stock')[1]
        self.assertEqual([(item['sku'], item['sold']) for item in page['items']], [(sku, 1) for sku in skus])
        metrics = ask(right, 'GET', '/metrics')[1]
        for shard in ('1', '2'):
            self.assertIn(f'gateway_calls_total{{shard="{shard}"}}', metrics)

    def test_a_database_of_another_shard_is_refused(self):
        self.shard(1, 2).kill()
        for shard in ('2/2', '1/3', '1/1'):
            code, complaint = self.refused('serve', '--role=inventory', '--rpc-listen=127.0.0.1:0', '--listen=127.0.0.1:0',
                                           f'--shard={shard}', f'--database=sqlite:{self.folder}/shard-1.db')
            self.assertEqual(code, 1)
            self.assertIn(f'the database is shard 1/2, not {shard}', complaint)

    def test_products(self):
        process = self.start(self.database)
        connection = self.connect(process)
        wish = {'sku': 'MUG-1', 'name': 'Mug', 'category': 'kitchen', 'price': {'minor_units': 1250, 'currency': 'EUR'}}
        status, mug, _ = ask(connection, 'POST', '/products', wish, Idempotency_Key='k')
        self.assertEqual(status, 201, mug)
        path = f'/products/{mug["id"]}'
        self.assertEqual(field_of(connection, 'Location', 'POST', '/products', wish, Idempotency_Key='k'), path)
        self.assertEqual(ask(connection, 'GET', path)[:2], (200, mug))
        self.assertEqual(field_of(connection, 'ETag', 'GET', path), '"1"')
        self.assertEqual(ask(connection, 'PATCH', path, {'name': 'Cup'})[0], 428)
        status, cup, _ = ask(connection, 'PATCH', path, {'name': 'Cup'}, If_Match='"1"')
        self.assertEqual((status, cup['name'], cup['version']), (200, 'Cup', 2))
        self.assertEqual(ask(connection, 'PATCH', path, {'name': 'Bowl'}, If_Match='"1"')[0], 412)
        self.assertEqual(ask(connection, 'GET', '/products?category=kitchen')[1], {'items': [cup]})
        self.assertEqual(ask(connection, 'GET', '/api/v1/products?category=garden')[1], {'items': []})
        self.assertEqual(ask(connection, 'POST', path + '/reserve', {'quantity': 1}, Idempotency_Key='r')[0], 409)
        self.assertEqual(ask(connection, 'PUT', '/api/v1/stock/MUG-1', {'on_hand': 3})[0], 200)
        status, held, _ = ask(connection, 'POST', path + '/reserve', {'quantity': 2}, Idempotency_Key='r')
        self.assertEqual((status, held['state']), (200, 'held'))
        status, refused, _ = ask(connection, 'DELETE', path)
        self.assertEqual((status, refused['code']), (409, 'conflict'))
        self.assertEqual(ask(connection, 'POST', f'/api/v1/reservations/{held["id"]}/release')[0], 200)
        for _ in range(2):
            self.assertEqual(ask(connection, 'DELETE', path)[:2], (204, ''))
        self.assertEqual(ask(connection, 'GET', path)[0], 404)
        self.assertEqual(ask(connection, 'GET', '/api/v1/stock/MUG-1')[1]['on_hand'], 0)

    def test_a_killed_process_loses_no_product_that_it_acknowledged(self):
        process = self.start(self.database, '--threads=2')
        made, killed = {}, threading.Event()

        def create(client):
            connection = process.connect()
            count = 0
            while True:
                count += 1
                sku = f'S-{client}-{count}'
                wish = {'sku': sku, 'name': 'thing', 'price': {'minor_units': 1, 'currency': 'EUR'}}
                try:
                    status, product, _ = ask(connection, 'POST', '/products', wish, Idempotency_Key=sku)
                    if status != 201:
                        return
                    made[product['id']] = product
                    path = f'/products/{product["id"]}'
                    if count % 3 == 1:
                        status, product, _ = ask(connection, 'PATCH', path, {'name': 'other'}, If_Match='"1"')
                        if status == 200:
                            made[product['id']] = product
                    if count % 3 == 2:
                        made.pop(product['id'])
                        if ask(connection, 'DELETE', path)[0] == 204:
                            made[product['id']] = None
                except (OSError, http.client.HTTPException):
                    return
                finally:
                    if len(made) >= 100:
                        killed.set()

        clients = [threading.Thread(target=create, args=(i,)) for i in range(8)]
        for client in clients:
            client.start()
        self.assertTrue(killed.wait(PATIENCE), 'the server answers too slowly')
        process.signal(signal.SIGKILL)
        for client in clients:
            client.join()
        process.end()
        connection = self.connect(self.start(self.database))
        for product_id, product in made.items():
            status, found, _ = ask(connection, 'GET', f'/products/{product_id}')
            if product is None:
                self.assertEqual(status, 404)
            else:
                # A patch whose answer was lost may have been applied.
                self.assertEqual(status, 200)
                self.assertIn(found['version'], (product['version'], product['version'] + 1))
                self.assertEqual(found['sku'], product['sku'])
        listed, after = 0, ''
        while True:
            page = ask(connection, 'GET', f'/products?limit=1000&after={after}')[1]
            listed += len(page['items'])
            after = page.get('next')
            if not after:
                break
        self.assertGreaterEqual(listed, sum(product is not None for product in made.values()))

    def test_catalog_in_a_process_of_its_own(self):
        inventory = self.start('--role=inventory', '--rpc-listen=127.0.0.1:0', self.database)
        catalog = self.start('--role=catalog', '--rpc-listen=127.0.0.1:0', f'--inventory-url=http://{inventory.rpc}',
                             f'--database=sqlite:{self.folder}/catalog.db')
        gateway = self.start('--role=gateway', f'--inventory-url=http://{inventory.rpc}',
                             f'--catalog-url=http://{catalog.rpc}', '--request-timeout=2s')
        connection = self.connect(gateway)
        wish = {'sku': 'MUG-1', 'name': 'Mug', 'price': {'minor_units': 1, 'currency': 'EUR'}}
        status, mug, _ = ask(connection, 'POST', '/products', wish, Idempotency_Key='k')
        self.assertEqual(status, 201, mug)
        self.assertEqual(ask(connection, 'PUT', '/api/v1/stock/MUG-1', {'on_hand': 1})[0], 200)
        path = f'/products/{mug["id"]}'
        status, held, _ = ask(connection, 'POST', path + '/reserve', {'quantity': 1}, Idempotency_Key='r', X_Owner='me')
        self.assertEqual((status, held['owner']), (200, 'me'))
        inventory.kill()
        self.assertEqual(ask(connection, 'GET', path)[0], 200)
        self.assertIn(ask(connection, 'DELETE', path)[0], (503, 504))
        catalog.kill()
        self.assertEqual(ask(connection, 'GET', path)[0], 503)

    def test_a_thread_per_core_shares_the_database(self):
        process = self.start(self.database, '--threads=2')
        connections = [self.connect(process) for _ in range(4)]
        for number, connection in enumerate(connections):
            for sku in range(8):
                status, stock, _ = ask(connection, 'PUT', f'/api/v1/stock/SKU-{sku}', {'on_hand': number})
                self.assertEqual((status, stock['on_hand']), (200, number))
        process.signal(signal.SIGINT)
        self.assertEqual(process.end()[0], 0)

    def test_is_not_ready_while_it_drains_and_closes_what_it_answers(self):
        process = self.start(self.database, '--drain-grace=10s')
        connection = self.connect(process)
        wait_until_ready(connection)
        self.assertEqual(ask(connection, 'GET', '/health/ready')[::2], (200, False))
        process.signal(signal.SIGTERM)
        for line in process.child.stderr:
            if 'draining' in line:
                break
        status, problem, closes = ask(connection, 'GET', '/health/ready')
        self.assertEqual((status, problem['code'], closes), (503, 'draining', True))
        self.assertEqual(process.end()[0], 0)

    def test_the_second_signal_ends_it_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start(self.database)
            connection = self.connect(process)
            connection.connect()
            connection.sock.sendall(b'GET /half HT')  # keeps the drain waiting
            process.signal(signal.SIGTERM)
            for line in process.child.stderr:
                if 'draining' in line:
                    break
            process.signal(number)
            self.assertEqual(process.end()[0], 128 + number)

    def test_sigterm_under_load_loses_no_accepted_request(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                before = self.reserved_in_ledger() if number == signal.SIGINT else 0
                process = self.start(self.database, '--threads=2', '--drain-grace=200ms')
                connection = self.connect(process)
                self.assertEqual(ask(connection, 'PUT', '/api/v1/stock/SKU-1', {'on_hand': 10**9})[0], 200)
                load = Load(process, f'run-{number}')
                load.until(300)
                process.signal(number)
                load.join()
                code, log = process.end()
                self.assertEqual(code, 0, log)
                self.assertEqual(load.lost, [])
                self.assertGreater(load.closed_properly, 0)
                self.assertEqual(self.reserved_in_ledger() - before, load.acknowledged)


class Load:
    """Half of the clients keep their connection, half open one for every request, until refused."""

    CLIENTS = 12

    def __init__(self, process, name):
        self.process, self.name = process, name
        self.acknowledged, self.closed_properly, self.lost = 0, 0, []
        self.changed = threading.Condition()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(self.CLIENTS)]
        for thread in self.threads:
            thread.start()

    def until(self, acknowledged):
        with self.changed:
            if not self.changed.wait_for(lambda: self.acknowledged >= acknowledged, PATIENCE):
                raise AssertionError('the server answers too slowly')

    def join(self):
        for thread in self.threads:
            thread.join()

    def run(self, client):
        keeps = client % 2 == 0
        connection, count = None, 0
        while True:
            if connection is None:
                connection = self.process.connect()
                try:
                    connection.connect()
                except OSError:
                    return
                first = True
            count += 1
            try:
                status, answer, closes = ask(connection, 'POST', '/api/v1/reservations',
                                             {'sku': 'SKU-1', 'quantity': 1},
                                             Idempotency_Key=f'{self.name}-{client}-{count}')
            except (OSError, http.client.HTTPException) as error:
                # A connection that was never answered may never have been accepted; the ledger
                # tells whether it was.
                if not first:
                    self.lost.append(repr(error))
                return
            first = False
            with self.changed:
                if status == 201:
                    self.acknowledged += 1
                else:
                    self.lost.append(f'{status} {answer}')
                self.closed_properly += closes
                self.changed.notify_all()
            if closes or not keeps:
                connection.close()
                connection = None


if __name__ == '__main__':
    unittest.main()
