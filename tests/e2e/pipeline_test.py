#!/usr/bin/env python3
"""Goal: three real processes, gateway, ingest and processor, are the pipeline that its clients know, and what they accepted is
processed once, whatever signal ends them; what cannot be processed is set aside, and what does not fit is refused.
Method: the commands of the clients' own documentation; a stand-in for inventory that lets nothing through until it is told, so
that queues fill; ids kept by this test are compared with the rows in the processor's database after it has ended."""
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from pipeline_case import PATIENCE, Inventory, LoadCase, PipelineCase, Process, ask, wait_until  # noqa: E402
from programs import RUSHPROOF, RUSHPROOFD, run  # noqa: E402


class Clients(PipelineCase):
    def shell(self, command):
        done = subprocess.run(['bash', '-o', 'pipefail', '-c', command], capture_output=True, text=True, timeout=PATIENCE,
                              check=True, env={**os.environ, 'API': self.gateway.url, 'INGEST': self.ingest.url,
                                               'PROCESSOR': self.processor.url})
        return done.stdout.strip()

    @unittest.skipUnless(shutil.which('curl') and shutil.which('jq'), 'the commands need curl and jq')
    def test_the_commands_of_its_clients_work(self):
        self.start()
        self.assertEqual(self.shell('curl -s $API/health | jq -r .healthy'), 'true')
        answer = self.shell('curl -s -X POST $API/api/v1/ingest -H "Content-Type: application/json" '
                            '-d \'{"source":"curl","data":"hello","metadata":{"k":"v"}}\'')
        self.assertEqual(json.loads(answer)['status'], 'accepted')
        self.assertEqual(uuid.UUID(json.loads(answer)['messageId']).version, 4)
        self.assertEqual(self.shell('curl -s -X POST $INGEST/ingest -d \'{"data":"x"}\' | jq -r .status'), 'accepted')
        self.assertEqual(self.shell('curl -s -o /dev/null -w "%{http_code}" -X POST $PROCESSOR/enqueue -d '
                                    '\'{"id":"a","timestamp":1,"source":"s","payload":"aGVsbG8=","metadata":{"k":"v"}}\''), '202')
        self.assertEqual(self.shell('curl -s -o /dev/null -w "%{http_code}" $PROCESSOR/enqueue'), '405')
        self.assertEqual(self.shell('curl -s -o /dev/null -w "%{http_code}" -X POST $API/api/v1/ingest -d "no json"'), '400')
        wait_until(lambda: self.processed() == 3, 'all three are processed')
        self.assertEqual(self.shell('curl -s $API/api/v1/status | jq -c .ingest.stats'),
                         '{"TotalReceived":2,"TotalSent":2,"TotalFailed":0}')
        self.assertEqual(self.shell('curl -s $API/api/v1/status | jq -r .processor.stats.queue.type'), 'memory')
        self.assertEqual(self.shell('curl -s $PROCESSOR/stats | jq -c .queue'),
                         '{"TotalEnqueued":3,"TotalDequeued":3,"CurrentSize":0}')
        self.assertEqual(self.shell('curl -s $PROCESSOR/stats | jq .pool.ProcessedCount'), '3')
        self.assertEqual(self.shell('curl -s $INGEST/stats | jq .TotalSent'), '2')
        for url in '$INGEST', '$PROCESSOR':
            self.assertEqual(self.shell(f'curl -s {url}/health'), '{"healthy":true}')
            self.assertIn('http_answers_total', self.shell(f'curl -s {url}/metrics'))
        self.assertIn('processor_since_accepted_seconds_count 3\n', self.shell('curl -s $PROCESSOR/metrics') + '\n')

    def test_follows_a_message_to_its_outcome(self):
        inventory = self.start_with_inventory()
        status, accepted, fields = self.reserve_later('SKU-1')
        self.assertEqual((status, accepted['status']), (202, 'accepted'))
        self.assertEqual(fields['location'], f"/api/v1/messages/{accepted['messageId']}")
        status, problem, _ = ask(self.gateway.address, 'GET', fields['location'])
        self.assertEqual((status, problem['code']), (404, 'not-processed'))
        with contextlib.closing(http.client.HTTPConnection(self.gateway.address, timeout=PATIENCE)) as connection:
            connection.request('GET', fields['location'] + '/events')
            stream = connection.getresponse()
            self.assertEqual(stream.getheader('content-type'), 'text/event-stream')
            self.assertEqual(stream.readline(), b': waiting\n')
            inventory.gate.set()
            lines = stream.read().decode().splitlines()  # to its end
        self.assertIn('event: processed', lines)
        outcome = json.loads(next(line for line in lines if line.startswith('data: '))[6:])
        self.assertEqual((outcome['messageId'], outcome['success']), (accepted['messageId'], True))
        self.assertEqual(ask(self.gateway.address, 'GET', fields['location'])[1], outcome)

    def test_a_repeat_under_its_key_has_one_effect(self):
        self.start()
        ids = {self.ingest_with_key('same')['messageId'] for _ in range(3)} | {self.ingest_with_key('other')['messageId']}
        self.assertEqual(len(ids), 2)
        wait_until(lambda: self.processed() == 2, 'both are processed')
        self.assertEqual(self.processor.end(), 0)
        self.assertEqual(sorted(self.rows()), sorted(ids))

    def ingest_with_key(self, key):
        status, answer, _ = ask(self.gateway.address, 'POST', '/api/v1/ingest', {'data': 'x'}, Idempotency_Key=key)
        self.assertEqual(status, 200)
        return answer

    def test_idle_counters_stand_still(self):
        self.start()
        before = ask(self.gateway.address, 'GET', '/api/v1/status')[1]
        time.sleep(1)
        self.assertEqual(ask(self.gateway.address, 'GET', '/api/v1/status')[1], before)

    def test_health_tells_the_truth(self):
        self.start()
        self.assertEqual(ask(self.gateway.address, 'GET', '/health')[0], 200)
        port = int(self.processor.address.rsplit(':', 1)[1])
        self.processor.kill()
        self.assertEqual(ask(self.gateway.address, 'GET', '/health')[:2], (503, {'healthy': False}))
        self.assertEqual(ask(self.gateway.address, 'GET', '/health/ready')[0], 503)
        status, _, fields = self.ingest_one()
        self.assertEqual((status, fields['retry-after']), (503, '1'))
        self.start_processor(port=port)
        wait_until(lambda: ask(self.gateway.address, 'GET', '/health')[0] == 200, 'it is well again')
        self.assertEqual(self.ingest_one()[0], 200)

    def test_a_wrong_variable_is_named(self):
        for variable, value in ('PROCESSOR_WORKERS', 'four'), ('QUEUE_TYPE', 'pigeon'), ('QUEUE_SIZE', '-1'), \
                ('PROCESSOR_PORT', 'x'), ('COMPOSITE_STRATEGY', 'maybe'), ('NATS_URL', 'localhost'):
            done = subprocess.run([RUSHPROOFD, 'serve', '--role=processor'], capture_output=True, text=True, timeout=PATIENCE,
                                  check=False, env={**os.environ, variable: value}, cwd=self.folder)
            self.assertEqual(done.returncode, 2, variable)
            self.assertIn(variable, done.stderr)


class Signals(PipelineCase):
    """The whole backlog of a queue that would be lost is processed before the process ends."""

    def check(self, number):
        inventory = self.start_with_inventory(QUEUE_SIZE='1000')
        accepted = []
        for i in range(300):
            status, answer, _ = self.reserve_later(f'SKU-{i % 7}')
            self.assertEqual(status, 202)
            accepted.append(answer['messageId'])
        for _ in range(200):
            accepted.append(self.ingest_one()[1]['messageId'])
        self.processor.child.send_signal(number)
        time.sleep(0.3)  # it drains; nothing can end yet
        self.assertIsNone(self.processor.child.poll())
        inventory.gate.set()
        self.assertEqual(self.processor.child.wait(timeout=PATIENCE), 0)
        self.assertEqual(sorted(self.rows()), sorted(accepted))

    def test_sigterm_with_a_backlog(self):
        self.check(signal.SIGTERM)

    def test_sigint_with_a_backlog(self):
        self.check(signal.SIGINT)


class MemoryLoad(LoadCase):
    def test_kill_under_load_loses_only_what_memory_held(self):
        lost = self.kill_under_load()
        self.assertLessEqual(lost, 1000, 'memory keeps no more than QUEUE_SIZE')
        print(f'memory: {lost} lost', file=sys.stderr)

    def test_a_kill_with_a_backlog_loses_it_and_nothing_else(self):
        inventory = self.start_with_inventory()
        backlog = [self.reserve_later(f'SKU-{i % 7}')[1]['messageId'] for i in range(100)]
        port = int(self.processor.address.rsplit(':', 1)[1])
        self.processor.kill()
        inventory.gate.set()
        self.start_processor(f'--inventory-url={inventory.url}', port=port)
        self.wait_until_well(self.gateway)
        later = self.ingest_one()[1]['messageId']
        wait_until(lambda: self.processed() == 1, 'what came later is processed')
        self.assertEqual(self.processor.end(), 0)
        self.assertEqual((len(backlog), self.rows()), (100, [later]))

    def test_sigterm_under_load_loses_nothing(self):
        self.start()
        clients = self.start_clients()
        time.sleep(1)
        self.assertEqual(self.processor.end(), 0)
        clients.end()
        self.assertEqual(self.lost(clients), 0)


class SqliteLoad(LoadCase):
    QUEUE = 'sqlite'

    def test_kill_under_load_loses_nothing(self):
        self.assertEqual(self.kill_under_load(), 0)

    def test_a_backlog_outlives_the_process(self):
        inventory = self.start_with_inventory()
        accepted = [self.reserve_later(f'SKU-{i % 7}')[1]['messageId'] for i in range(100)]
        port = int(self.processor.address.rsplit(':', 1)[1])
        self.processor.kill()
        inventory.gate.set()
        self.start_processor(f'--inventory-url={inventory.url}', port=port)
        wait_until(lambda: self.unfinished() == 0, 'the queue is empty')
        self.assertEqual(self.processor.end(), 0)
        self.assertEqual(sorted(self.rows()), sorted(accepted))


class Composite(PipelineCase):
    QUEUE = 'composite'
    VARIABLES = {'COMPOSITE_PROVIDERS': 'memory,sqlite'}

    def test_tells_of_each_part(self):
        self.start()
        ids = [self.ingest_one()[1]['messageId'] for _ in range(20)]
        wait_until(lambda: self.processed() == 20, 'all are processed')
        stats = ask(self.processor.address, 'GET', '/stats')[1]['queue']['composite_stats']
        self.assertEqual({name: part['TotalEnqueued'] for name, part in stats.items()}, {'memory': 20, 'sqlite': 20})
        self.assertEqual(self.processor.end(), 0)
        self.assertEqual(sorted(self.rows()), sorted(ids), 'two deliveries are one effect')


class OneProcess(PipelineCase):
    def test_keeps_the_order_of_keys_over_its_cores(self):
        process = Process('all', '--threads=2', f'--database=sqlite:{self.folder}/processor.db', INGEST_PORT='0',
                          PROCESSOR_PORT='0', INGEST_GRPC='0')
        self.addCleanup(process.kill)
        for name in 'ingest', 'processor', 'ingest_grpc':
            self.assertTrue(process.addresses[name], name)
        self.wait_until_well(process)
        accepted = {}

        def client(key, address, path):
            ids = accepted[key] = []
            for i in range(60):
                body = {'source': key, 'data': str(i)} if path != '/enqueue' else {'id': f'{key}-{i}', 'source': key}
                status, answer, _ = ask(address, 'POST', path, body)
                self.assertIn(status, (200, 202))
                ids.append(answer['messageId'] if answer else body['id'])

        doors = [(process.address, '/api/v1/ingest'), (process.addresses['ingest'], '/ingest'),
                 (process.addresses['processor'], '/enqueue')]
        threads = [threading.Thread(target=client, args=[f'key-{i}', *doors[i % 3]]) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(sum(map(len, accepted.values())), 360)
        wait_until(lambda: ask(process.addresses['processor'], 'GET', '/stats')[1]['pool']['ProcessedCount'] == 360,
                   'all are processed')
        self.assertEqual(ask(process.addresses['ingest'], 'GET', '/stats')[1]['TotalSent'], 240)
        self.assertEqual(ask(process.address, 'GET', '/api/v1/admin/workers')[1]['workers'], 8)
        seen = {}
        for item in ask(process.address, 'GET', '/api/v1/admin/processed?limit=1000')[1]['items']:
            seen.setdefault(item['key'], []).append(item['messageId'])
        self.assertEqual(seen, accepted)
        self.assertEqual(process.end(), 0)


class Misfits(PipelineCase):
    def test_refuses_what_does_not_fit(self):
        inventory = self.start_with_inventory(QUEUE_SIZE='10')
        answers = [self.reserve_later('SKU-1') for _ in range(20)]
        self.assertEqual([status for status, _, _ in answers], [202] * 10 + [503] * 10)
        self.assertTrue(all(fields['retry-after'] == '1' for status, _, fields in answers if status == 503))
        self.assertEqual(self.ingest_one()[0], 503)
        inventory.gate.set()
        wait_until(lambda: self.processed() == 10, 'ten are processed')
        self.assertEqual(self.ingest_one()[0], 200)
        self.assertEqual(self.processor.end(), 0)
        self.assertEqual(len(self.rows()), 11)

    def test_sets_poison_aside_and_replays_it(self):
        self.start()  # knows no inventory
        ids = [self.reserve_later('SKU-1')[1]['messageId'] for _ in range(3)]
        self.ingest_one()
        wait_until(lambda: self.processed() == 1, 'the good one is processed')
        wait_until(lambda: len(self.dead_letters()) == 3, 'the bad ones are set aside')
        letters = self.dead_letters()
        self.assertEqual({(letter['messageId'], letter['reason']) for letter in letters},
                         {(id, 'not-configured') for id in ids})
        self.assertEqual(ask(self.gateway.address, 'GET', f'/api/v1/messages/{ids[0]}')[1]['state'], 'dead')
        port = int(self.processor.address.rsplit(':', 1)[1])
        self.assertEqual(self.processor.end(), 0)
        inventory = Inventory()
        self.addCleanup(inventory.close)
        inventory.gate.set()
        self.start_processor(f'--inventory-url={inventory.url}', port=port)
        self.wait_until_well(self.gateway)
        status, letter, _ = ask(self.gateway.address, 'POST', f'/api/v1/admin/dead-letters/{ids[0]}/replay')
        self.assertEqual((status, letter['replays']), (202, 1))
        wait_until(lambda: self.processed() == 1, 'the first is processed')
        self.assertEqual(run(RUSHPROOF, 'queue', 'replay', '--all', '--gateway', self.gateway.url),
                         (0, ''.join(f'replayed {id}\n' for id in sorted(ids[1:])), ''))
        wait_until(lambda: self.processed() == 3, 'all are processed')
        self.assertEqual(self.dead_letters(), [])
        self.assertEqual(sorted(inventory.calls), sorted(ids), 'their ids are the keys')
        self.assertEqual(self.processor.end(), 0)
        self.assertEqual(self.rows('processor_dead_letter'), [])

    def dead_letters(self):
        return ask(self.gateway.address, 'GET', '/api/v1/admin/dead-letters')[1]['items']

    def test_changes_its_workers_while_it_works(self):
        inventory = self.start_with_inventory(PROCESSOR_WORKERS='2')
        for i in range(40):
            self.reserve_later(f'SKU-{i}')
        wait_until(lambda: len(inventory.calls) == 2, 'both workers call')
        self.assertEqual(ask(self.gateway.address, 'POST', '/api/v1/admin/workers', {'workers': 5})[1]['workers'], 5)
        wait_until(lambda: len(inventory.calls) == 5, 'five workers call')
        inventory.gate.set()
        wait_until(lambda: self.processed() == 40, 'all are processed')


if __name__ == '__main__':
    unittest.main()
