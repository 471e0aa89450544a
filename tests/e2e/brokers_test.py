#!/usr/bin/env python3
"""Goal: with real brokers, what gateway, ingest and processor accepted is processed once and in order: whatever ends a
process, while a broker is down, with a message that cannot be processed, and where only a part of a composite queue works.
Method: brokers of infra/stack, killed and started again; ids that clients keep for themselves are compared with the rows in
the processor's database after it has ended.  RUSHPROOF_OUTAGE is how many seconds a broker is down (15)."""
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from pipeline_case import LoadCase, PipelineCase, ask, wait_until  # noqa: E402
from programs import ROOT, RUSHPROOF, run  # noqa: E402

STACK = ROOT / 'infra' / 'stack'
UNAVAILABLE = 77
OUTAGE = float(os.environ.get('RUSHPROOF_OUTAGE', '15'))


class Brokers:
    """NATS and Kafka, for all tests of this file."""

    def __init__(self):
        self.holder = subprocess.Popen([STACK / 'stack', 'hold', 'nats', 'kafka'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
        self.variables = {}
        while 'RUSHPROOF_NATS_FOLDER' not in self.variables or 'RUSHPROOF_KAFKA_FOLDER' not in self.variables:
            line = self.holder.stdout.readline()
            if not line:
                break
            name, _, value = line.removeprefix('export ').strip().partition('=')
            self.variables[name] = value.strip("'\"")

    def reason_to_skip(self):
        """Empty when they run."""
        if not self.variables:
            complaint = self.holder.communicate()[1]
            assert self.holder.returncode == UNAVAILABLE, complaint
            return complaint
        if self.variables['RUSHPROOF_KAFKA_KIND'] != 'apache':
            return 'no Apache Kafka here: its stand-in forgets everything when it is killed'
        return ''

    def command(self, server, verb, *options):
        """No pipes: a server that it starts would hold them open."""
        subprocess.run([STACK / server / verb, self.variables[f'RUSHPROOF_{server.upper()}_FOLDER'], *options], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def close(self):
        if self.holder.poll() is None:
            self.holder.communicate()


def setUpModule():
    global BROKERS
    BROKERS = Brokers()
    unittest.addModuleCleanup(BROKERS.close)
    if reason := BROKERS.reason_to_skip():
        raise unittest.SkipTest(reason)


class BrokerCase(LoadCase):
    DOWN: tuple[str, ...] = ()  # what fails in these tests
    PATIENCE = 60  # a consumer group waits until its dead members are taken for dead

    def setUp(self):
        super().setUp()
        name = self.id().rsplit('.', 2)
        topic = f'{name[-2]}-{name[-1]}'.replace('_', '-').lower()
        self.VARIABLES = {**self.VARIABLES, 'NATS_URL': BROKERS.variables['RUSHPROOF_NATS_URL'],
                          'KAFKA_BROKERS': BROKERS.variables['RUSHPROOF_KAFKA_BROKERS'], 'KAFKA_TOPIC': topic,
                          'KAFKA_CONSUMER_GROUP': topic}
        BROKERS.command('nats', 'reset')

    def break_brokers(self):
        for server in self.DOWN:
            BROKERS.command(server, 'stop', '--crash')
            self.addCleanup(self.mend_brokers)

    def mend_brokers(self):
        for server in self.DOWN:
            BROKERS.command(server, 'restart')

    def is_ready(self):
        return ask(self.gateway.address, 'GET', '/health/ready')[0] == 200


class Families:
    """What holds on every broker."""

    def test_a_signal_with_a_backlog_loses_nothing(self):
        for number in signal.SIGTERM, signal.SIGINT:
            inventory = self.start_with_inventory()
            accepted = [self.reserve_later(f'SKU-{i % 7}')[1]['messageId'] for i in range(200)]
            port = int(self.processor.address.rsplit(':', 1)[1])
            self.processor.child.send_signal(number)
            inventory.gate.set()
            self.assertEqual(self.processor.child.wait(timeout=self.PATIENCE), 0)
            self.start_processor(f'--inventory-url={inventory.url}', port=port)
            wait_until(lambda: self.unfinished() == 0, 'the queue is empty', self.PATIENCE)
            self.assertEqual(self.processor.end(), 0)
            self.assertEqual(sorted(self.rows()), sorted(accepted), number)
            (self.folder / 'processor.db').unlink()

    def test_kill_under_load_loses_nothing(self):
        self.assertEqual(self.kill_under_load(), 0)

    def test_an_outage_of_the_broker_loses_nothing(self):
        self.start()
        clients = self.start_clients()
        time.sleep(1)
        self.break_brokers()
        wait_until(lambda: not self.is_ready(), 'readiness tells of it')
        time.sleep(OUTAGE)
        before = clients.count()
        self.assertFalse(self.is_ready())
        self.mend_brokers()
        wait_until(self.is_ready, 'it is ready again, without a restart', self.PATIENCE)
        wait_until(lambda: clients.count() > before + 100, 'messages are accepted again')
        self.assertEqual(self.settle(clients), 0)

    def test_a_poison_message_is_set_aside(self):
        self.start()  # without inventory nothing can be reserved
        poison = self.reserve_later('SKU-1')[1]['messageId']
        accepted = [self.ingest_one(metadata={'key': 'SKU-1'})[1]['messageId'] for _ in range(50)]
        wait_until(lambda: self.processed() == 50, 'the others are processed')
        status, output, error = run(RUSHPROOF, 'queue', 'dead-letters', '--gateway', self.gateway.url)
        self.assertEqual(status, 0, error)
        self.assertRegex(output, f'^{poison}  .*not-configured after 1 attempts')
        self.assertEqual(self.processor.end(), 0)
        self.assertEqual(self.effects(), {'SKU-1': accepted})


class Nats(BrokerCase, Families):
    QUEUE = 'nats'
    DOWN = ('nats',)


class Kafka(BrokerCase, Families):
    QUEUE = 'kafka'
    DOWN = ('kafka',)


class FailFast(BrokerCase, Families):
    """Both brokers are needed."""
    QUEUE = 'composite'
    VARIABLES = {'COMPOSITE_PROVIDERS': 'nats,kafka', 'COMPOSITE_STRATEGY': 'fail-fast'}
    DOWN = ('kafka',)


class BestEffort(BrokerCase):
    """One of the brokers is enough."""
    QUEUE = 'composite'
    KEEPS_ORDER = False  # what one of them lacked comes later from the other
    VARIABLES = {'COMPOSITE_PROVIDERS': 'nats,kafka', 'COMPOSITE_STRATEGY': 'best-effort'}
    DOWN = ('kafka',)

    def operate(self, *arguments):
        status, output, error = run(RUSHPROOF, 'queue', *arguments, '--gateway', self.gateway.url)
        self.assertEqual(status, 0, error)
        return output

    def test_what_a_broken_part_lacks_is_told_and_repaired(self):
        self.start()
        clients = self.start_clients()
        time.sleep(1)
        self.break_brokers()
        before = clients.count()
        wait_until(lambda: clients.count() > before + 200, 'messages are accepted by the other one', self.PATIENCE)
        clients.end()
        self.assertIn('lacking on kafka', self.operate('divergences'))
        self.mend_brokers()
        wait_until(lambda: run(RUSHPROOF, 'queue', 'repair', '--gateway', self.gateway.url)[0] == 0, 'all is repaired',
                   self.PATIENCE)
        self.assertEqual(self.operate('divergences'), 'no divergences\n')
        self.assertEqual(self.settle(clients), 0)


class Switch(BrokerCase):
    """From one queue to the next, by an operator, under load."""
    VARIABLES = {'COMPOSITE_PROVIDERS': 'nats,kafka'}

    def test_through_all_queues_and_back(self):
        self.start()
        clients = self.start_clients()
        for queue in 'sqlite', 'nats', 'composite', 'kafka', 'memory':
            time.sleep(1)
            status, output, error = run(RUSHPROOF, 'queue', 'switch', queue, '--within', '60s', '--gateway', self.gateway.url)
            self.assertEqual(status, 0, error + output)
            self.assertRegex(output, f' -> {queue}: done in .* carried over')
        status, output, error = run(RUSHPROOF, 'queue', 'status', '--gateway', self.gateway.url)
        self.assertTrue(output.startswith('queue memory, no switch under way\n'), output)
        before = clients.count()
        wait_until(lambda: clients.count() > before + 100, 'messages are accepted')
        self.assertEqual(self.settle(clients), 0)


if __name__ == '__main__':
    unittest.main()
