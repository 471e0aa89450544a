#!/usr/bin/env python3
"""What the brokers' own benchmark tools reach against servers of infra/stack, for run.py.  Alone:

    infra/stack/stack run nats kafka -- tests/bench/pipeline/broker_tools.py [--requests 100000]

Of each tool the publishing half is measured alone, and then while its consuming half takes and acknowledges what is
published, as the pipeline's processor does: that is the broker's work for a message from its acceptance to its effect.

Both are fetched once, pinned by version and checksum, and stay in $XDG_CACHE_HOME/rushproof (else ~/.cache/rushproof):
  nats   `nats bench js pub sync` and `consume` of natscli, built from its Go module; needs Go 1.24.  The checksum is
         the module's, and the module's own go.sum has those of everything that it is made of.
  kafka  ProducerPerformance and ConsumerPerformance of org.apache.kafka.tools in kafka-tools, by mvn.  They run on the
         jars of the server that they measure, which are of the same version, and which stay as they are.
"""
import argparse
import base64
import concurrent.futures
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NATSCLI = ('github.com/nats-io/natscli', 'v0.3.0', 'h1:DdoXZy96D1Di9ePuIVgnhEeAaE9rRr1NSG/jrzLhDz0=')
KAFKA = '3.9.1'
KAFKA_TOOLS_SHA256 = 'aae08609f1259e59db9746570c53d939820e9efa7a4c0fd7bf7d1b3508f34f11'
MAVEN_COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'
FETCHED_WITHIN_S = 900
MEASURED_WITHIN_S = 1800
CONSUMED_WITHIN_S = 120  # after the last was published

UNACKNOWLEDGED = 10  # run.py's connections: nobody there waits for more than one answer
# What core/real makes: nats/jetstream.cpp (ensure_stream) with the limits of NatsOptions; the partitions of
# KafkaOptions, whose replication is the server's.
STREAM = {'name': 'TOOL', 'subjects': ['tool'], 'retention': 'limits', 'discard': 'new', 'storage': 'file', 'max_age': 0,
          'max_msgs': 1_000_000, 'max_bytes': 512 << 20, 'num_replicas': 1, 'duplicate_window': 120 * 10**9}
PARTITIONS = 8
# The ways to have 10 records under way: batches that may be, and records that fit into one.  Each batch goes to the disk
# by itself; core/real/kafka puts what comes meanwhile into the next one, so the tool may too.
KAFKA_WAYS = ((10, 1), (2, 5), (1, 10))
BATCH_BYTES, RECORD_BYTES, ESTIMATE_BYTES = 61, 9, 32  # of a batch, of a record beside its value, the producer's caution
# As core/real/kafka/member.cpp fetches; less often than the tool by itself would.
CONSUMER = ('fetch.min.bytes=65536', 'fetch.max.wait.ms=5')


class Unavailable(Exception):
    """It cannot be had on this machine; says why, and how to get it."""


class Message:
    """What the processor's queue holds of a request, in the sizes that matter."""

    def __init__(self, request):
        given = json.loads(request)
        self.id = '0d3f1f2e-6c1e-4d0b-9a39-0d3f1f2e6c1e'
        self.headers = {'rushproof-key': given['source'], 'rushproof-accepted-at': '1795930303834605'}
        self.body = json.dumps({
            'id': self.id, 'timestamp': 1795930303, 'source': given['source'],
            'payload': base64.b64encode(given['data'].encode()).decode(), 'metadata': given['metadata']},
            separators=(',', ':'))

    def in_one_piece(self):
        """For a tool that knows neither keys nor headers: all of it in the body."""
        return self.body + ''.join(name + value for name, value in {**self.headers, 'rushproof-id': self.id}.items())


def run(arguments, what, within=FETCHED_WITHIN_S, **options):
    """-> its standard output"""
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=within, check=False,
                          stdin=subprocess.DEVNULL, **options)
    if done.returncode:
        raise Unavailable(f'{what}: ' + ' / '.join((done.stderr + done.stdout).strip().splitlines()[-3:])[-500:])
    return done.stdout


@contextlib.contextmanager
def alongside(arguments, what, **options):
    """Runs it meanwhile. -> a list that has its output afterwards"""
    out = []
    with subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options) as child:
        try:
            yield out
            out.append(child.communicate(timeout=CONSUMED_WITHIN_S)[0])
        except subprocess.TimeoutExpired as error:
            child.kill()
            raise SystemExit(f'{what} did not get everything within {CONSUMED_WITHIN_S} s') from error
        except BaseException:
            child.kill()
            raise
    if child.returncode:
        raise SystemExit(f'{what}: {out[0]}')


def cache():
    folder = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'rushproof'
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class NatsTool:
    """`nats bench js pub sync`: 10 clients, each of which waits for the acknowledgement of what it published."""

    def __init__(self, environment):
        self.url = environment.get('RUSHPROOF_NATS_URL', '')
        self.program = cache() / f'nats-{NATSCLI[1]}'
        if not self.program.exists():
            self.build()

    def build(self):
        name, version, checksum = NATSCLI
        go = shutil.which('go') or '/usr/local/go/bin/go'
        if not os.access(go, os.X_OK):
            raise Unavailable('no Go here, which builds natscli. Remedy: Go 1.24 or newer in PATH')
        print(f'building {name} {version} into {self.program} (once)', flush=True)
        environment = {**os.environ, 'GOWORK': 'off', 'CGO_ENABLED': '0'}
        with tempfile.TemporaryDirectory(dir=cache()) as folder:
            module = json.loads(run([go, 'mod', 'download', '-json', f'{name}@{version}'], 'getting natscli',
                                    cwd=folder, env=environment))
            if module['Sum'] != checksum:
                raise SystemExit(f"{name} {version} is {module['Sum']}, not {checksum}")
            run([go, 'build', '-mod=readonly', '-buildvcs=false', '-trimpath', '-o', f'{folder}/nats', './nats'],
                'building natscli (needs Go 1.24)', cwd=module['Dir'], env=environment)
            os.rename(f'{folder}/nats', self.program)

    def command(self, *arguments):
        return [self.program, '--no-context', *arguments], {'env': {**os.environ, 'NATS_URL': self.url}}

    def ask(self, *arguments):
        command, options = self.command(*arguments)
        try:
            return run(command, 'nats', MEASURED_WITHIN_S, **options)
        except Unavailable as error:
            raise SystemExit(f'{error}') from error

    def published(self, message, requests):
        """-> messages per second, when nobody consumes them"""
        self.make_stream()
        return self.publish(message, requests)

    def make_stream(self):
        """Each run has an empty one."""
        made = self.ask('request', '--raw', '$JS.API.STREAM.CREATE.' + STREAM['name'], json.dumps(STREAM))
        if '"error"' in made:
            raise SystemExit(f'the stream for nats bench: {made}')
        self.ask('stream', 'purge', STREAM['name'], '--force')

    def publish(self, message, requests):
        with tempfile.TemporaryDirectory() as folder:
            Path(f'{folder}/body').write_text(message.body, encoding='utf-8')
            out = self.ask('bench', 'js', 'pub', 'sync', STREAM['subjects'][0], '--stream', STREAM['name'],
                           '--clients', UNACKNOWLEDGED, '--msgs', requests, '--payload', f'{folder}/body', '--dedup',
                           '--no-progress', *(f'--header={name}:{value}' for name, value in message.headers.items()))
        kept = json.loads(self.ask('stream', 'info', STREAM['name'], '--json'))['state']['messages']
        found = re.search(r'aggregated stats: ([\d,]+) msgs/sec', out)
        if kept != requests or not found:
            raise SystemExit(f'nats bench: {kept} of {requests} are in the stream\n{out}')
        return float(found[1].replace(',', ''))

    def rate(self, message, requests):
        """-> messages per second, consumed meanwhile"""
        self.make_stream()
        command, options = self.command('bench', 'js', 'consume', '--stream', STREAM['name'], '--acks', 'explicit',
                                        '--clients', 1, '--msgs', requests, '--no-progress')
        with alongside(command, 'nats bench js consume', **options):
            self.wait_for_consumer()
            return self.publish(message, requests)

    def wait_for_consumer(self):
        for _ in range(200):
            if json.loads(self.ask('stream', 'info', STREAM['name'], '--json'))['state']['consumer_count']:
                return
            time.sleep(0.05)
        raise SystemExit('nats bench js consume made no consumer')


class KafkaTool:
    """ProducerPerformance with acks=all, idempotent.  It never waits for an answer, so its buffer makes it wait as ab
    does: there is room for 10 records, and a batch keeps its room until it is acknowledged."""

    def __init__(self, environment):
        self.brokers = environment.get('RUSHPROOF_KAFKA_BROKERS', '')
        self.best_way = None
        self.topics = 0
        command = Path(environment.get('RUSHPROOF_KAFKA_FOLDER', '/nowhere')) / 'command'
        words = command.read_text(encoding='utf-8').splitlines() if command.exists() else []
        self.class_path = words[words.index('-cp') + 1] if '-cp' in words else ''
        if f'/kafka-clients-{KAFKA}.jar' not in self.class_path:
            raise Unavailable(f'the server is no Apache Kafka {KAFKA} of this machine')
        self.jar = cache() / f'kafka-tools-{KAFKA}.jar'
        if not self.jar.exists():
            self.fetch()
        if hashlib.sha256(self.jar.read_bytes()).hexdigest() != KAFKA_TOOLS_SHA256:
            raise SystemExit(f'{self.jar} is not what it must be: {KAFKA_TOOLS_SHA256}. Remedy: delete it')

    def fetch(self):
        if not shutil.which('mvn'):
            raise Unavailable('no mvn here. Remedy: infra/setup (Debian package maven)')
        print(f'getting kafka-tools {KAFKA} by mvn into {self.jar} (once)', flush=True)
        with tempfile.TemporaryDirectory(dir=cache()) as folder:
            run(['mvn', '-q', '-B', '-ntp', MAVEN_COPY, f'-Dartifact=org.apache.kafka:kafka-tools:{KAFKA}',
                 f'-DoutputDirectory={folder}'], 'getting kafka-tools', cwd=folder)
            os.rename(f'{folder}/{self.jar.name}', self.jar)

    def command(self, program, *arguments):
        return ['java', '-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp',
                f'{self.class_path}:{self.jar}', f'org.apache.kafka.tools.{program}', *arguments]

    def java(self, program, *arguments):
        try:
            return run(self.command(program, *arguments), program, MEASURED_WITHIN_S)
        except Unavailable as error:
            raise SystemExit(f'{error}') from error

    def make_topic(self):
        """Each run has its own: -> its name"""
        self.topics += 1
        name = f'tool-{self.topics}'
        self.java('TopicCommand', '--bootstrap-server', self.brokers, '--create', '--topic', name,
                  '--partitions', PARTITIONS)
        return name

    def publish(self, message, requests, topic, batches, records):
        with tempfile.TemporaryDirectory() as folder:
            payload = Path(f'{folder}/body')
            payload.write_text(message.in_one_piece(), encoding='utf-8')
            batch = BATCH_BYTES + records * (payload.stat().st_size + RECORD_BYTES) + ESTIMATE_BYTES
            out = self.java('ProducerPerformance', '--topic', topic, '--num-records', requests, '--throughput', -1,
                            '--payload-file', payload, '--producer-props', f'bootstrap.servers={self.brokers}',
                            'acks=all', 'enable.idempotence=true', 'max.in.flight.requests.per.connection=5',
                            'linger.ms=0', f'batch.size={batch}', f'buffer.memory={batch * batches}')
        found = re.search(rf'^{requests} records sent, ([\d.]+) records/sec.*99\.9th', out, re.M)
        if not found:  # it counts what was acknowledged
            raise SystemExit(f'ProducerPerformance did not send all of {requests}\n{out}')
        return float(found[1])

    def published(self, message, requests):
        """-> messages per second in the best of the ways, when nobody consumes them"""
        rates = {way: self.publish(message, requests, self.make_topic(), *way) for way in KAFKA_WAYS}
        for (batches, records), rate in rates.items():
            print(f'         by kafka {rate:12,.0f} /s   room for {batches} x {records} records', flush=True)
        self.best_way = max(rates, key=rates.get)
        return rates[self.best_way]

    def rate(self, message, requests):
        """-> messages per second in that way, consumed meanwhile; after published()"""
        topic = self.make_topic()
        with tempfile.TemporaryDirectory() as folder:
            settings = Path(f'{folder}/consumer.properties')
            settings.write_text('\n'.join(CONSUMER), encoding='utf-8')
            command = self.command('ConsumerPerformance', '--bootstrap-server', self.brokers, '--topic', topic,
                                   '--messages', requests, '--timeout', CONSUMED_WITHIN_S * 1000, '--hide-header',
                                   '--consumer.config', settings)
            with alongside(command, 'ConsumerPerformance') as out:
                rate = self.publish(message, requests, topic, *self.best_way)
        if f', {requests}, ' not in out[0]:
            raise SystemExit(f'ConsumerPerformance did not get all of {requests}\n{out[0]}')
        return rate


def get(servers, environment):
    """-> server -> its tool; says loudly which cannot be had."""
    tools = {}
    for server in servers:
        try:
            tools[server] = {'nats': NatsTool, 'kafka': KafkaTool}[server](environment)
        except (Unavailable, OSError, subprocess.TimeoutExpired) as error:
            print(f'NO BENCHMARK TOOL OF {server.upper()}: {error}\n'
                  '  What needs it is judged by the absolute bound alone.', file=sys.stderr, flush=True)
    return tools


def rate_at_once(tools, message, requests):
    """-> messages per second that all of the brokers have, each published and consumed by its tool, at once"""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return min(pool.map(lambda tool: tool.rate(message, requests), tools))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--requests', type=int, default=100_000)
    options = parser.parse_args()
    message = Message(json.dumps({'source': 'bench', 'data': 'hello', 'metadata': {'kind': 'test'}}))
    servers = [server for server in ('nats', 'kafka') if f'RUSHPROOF_{server.upper()}_FOLDER' in os.environ]
    if not servers:
        raise SystemExit('infra/stack/stack run nats kafka -- ' + sys.argv[0])
    for server, tool in get(servers, os.environ).items():
        print(f'{server} published{tool.published(message, options.requests):10,.0f} /s', flush=True)
        print(f'{server} tool     {tool.rate(message, options.requests):10,.0f} /s', flush=True)


if __name__ == '__main__':
    main()
