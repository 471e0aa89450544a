#!/usr/bin/env python3
"""POST /api/v1/ingest through three processes, beside three nginx that proxy the same path.

    cmake --preset release && cmake --build build/release --target rushproofd
    tests/bench/pipeline/run.py [--requests 100000] [--rounds 3] [--queues memory,nats,kafka,composite]
                                [--build build/release] [--json FILE]

Needs nginx, ab (apache2-utils) and h2load (nghttp2-client), and infra/stack for the brokers.  Everything gets the same load by
the same ab (10 connections, a new one for each request, as the pipeline's clients are documented to
ask), in alternation.  An answer that is not 2xx stops the run: it is no throughput.
  nginx      client -> nginx -> nginx -> nginx, which answers
  memory...  client -> gateway -> ingest -> processor or broker; accepted when it is answered
  ... tool   the broker's own benchmark tool publishes to the same server, and consumes from it
  ... published  it only publishes
After each run it waits until everything that was accepted is processed; then h2load sends at half of the rate
that was just seen, and the processor's own histogram says how long a message took from accepted to processed.
What went before is written to the disk first (sync), so that nobody waits for a disk that has others' work to do.
Each round says what the disk itself does to such a wait: somebody who comes at any moment, while one program writes and
syncs (fdatasync) one batch after the other and nothing else runs, waits for the sync under way and for that of the next batch.
At the end it says how much memory each of the three processes held at most (VmHWM).

The bound of a broker's queue is its rate in RATES at a p95 under 5 ms, or half of what the broker's own tool reaches,
whichever is less. The tool does what the pipeline asks of a broker in that time: what one half of it publishes the
other half takes and acknowledges, as the processor does; what it publishes when nobody consumes is printed for
comparison. A message of composite is on both brokers, so both tools run at once and the slower one counts. The tool
writes as durably: into a JetStream stream with file storage as core/real/nats makes it, each publish waiting for its
acknowledgement; to Kafka with acks=all and idempotence, to as many partitions and replicas as core/real/kafka makes,
on a server that takes each batch to its disk (log.flush.interval.messages of infra/stack). Its messages are as large
as those that the processor gets, with their headers. It has at most as many of them unacknowledged as ab has
connections, because our clients wait for an answer too: what a broker does with thousands under way is no measure for
ten of them. Kafka's JVM compiles as far as it can, as in production, and not only as far as is quick for tests
(infra/stack). What Java has a part in is measured once before the first round, which is not counted: what just started is
not what runs for days. Kafka's tool can have ten under way as one batch, two, or ten; the best rate counts, for core/real/kafka
batches too. Each tool sends at least 100,000, since Java needs time to become fast. broker_tools.py fetches them once
(natscli by Go, kafka-tools by mvn), pinned. Where one is not to be had, that is said loudly, and the absolute bound
judges alone.

Exits 1 when a bound is missed.
"""
import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import broker_tools

ROOT = Path(__file__).resolve().parents[3]
CLIENTS = 10
BODY = json.dumps({'source': 'bench', 'data': 'hello', 'metadata': {'kind': 'test'}})
BROKERS = {'nats': ['nats'], 'kafka': ['kafka'], 'composite': ['nats', 'kafka']}
RATES = {'nats': 8000, 'kafka': 8000, 'composite': 5000}
TOOL_RATIO = 0.5
TOOL_REQUESTS_MIN = 100_000
MEMORY_RATIO = 0.5
P95_MS = 5
END_TO_END_P99_MS = 20
HALF_RATE_SECONDS = 10
DISK_SECONDS = 10


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def process(arguments, environment=None):
    child = subprocess.Popen([str(a) for a in arguments], env={**os.environ, **(environment or {})})
    try:
        yield child
    finally:
        child.terminate()
        child.wait(60)


def wait_for(port, path):
    for _ in range(600):
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f'http://127.0.0.1:{port}{path}').read()
        time.sleep(0.05)
    raise SystemExit(f'port {port} does not answer {path}')


@contextlib.contextmanager
def nginx_chain(folder):
    """-> the port of the first."""
    ports = [free_port() for _ in range(3)]
    answer = json.dumps({'messageId': '0d3f1f2e-6c1e-4d0b-9a39-0d3f1f2e6c1e', 'status': 'accepted'})
    with contextlib.ExitStack() as stack:
        for number, port in reversed(list(enumerate(ports))):
            home = Path(folder) / f'nginx-{number}'
            home.mkdir()
            last = number == len(ports) - 1
            upstream = '' if last else f'upstream next {{ server 127.0.0.1:{ports[number + 1]}; keepalive 32; }}'
            serve = f"return 200 '{answer}';" if last else (
                'proxy_pass http://next; proxy_http_version 1.1; proxy_set_header Connection "";')
            (home / 'nginx.conf').write_text(f'''
daemon off; master_process off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 1000000000; client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi; {upstream}
    server {{ listen 127.0.0.1:{port}; location / {{ {serve} }} }}
}}''')
            program = shutil.which('nginx') or '/usr/sbin/nginx'
            stack.enter_context(process([program, '-c', home / 'nginx.conf', '-p', home]))
            wait_for(port, '/')
        yield ports[0]


@contextlib.contextmanager
def pipeline(build, folder, queue, brokers):
    """Three processes that know each other by the documented variables alone. -> the ports and the processes of all."""
    ports = {role: free_port() for role in ('gateway', 'ingest', 'processor')}
    environment = {
        'API_PORT': str(ports['gateway']), 'INGEST_PORT': str(ports['ingest']),
        'PROCESSOR_PORT': str(ports['processor']), 'INGEST_URL': f"http://127.0.0.1:{ports['ingest']}",
        'PROCESSOR_URL': f"http://127.0.0.1:{ports['processor']}", 'QUEUE_TYPE': queue, 'QUEUE_SIZE': '100000',
        'COMPOSITE_PROVIDERS': 'nats,kafka', **brokers}
    processes = {}
    with contextlib.ExitStack() as stack:
        for role in ('processor', 'ingest', 'gateway'):
            own = dict(environment)
            for name in {'processor': ('PROCESSOR_URL', 'INGEST_URL'), 'ingest': ('INGEST_URL',)}.get(role, ()):
                own.pop(name)
            processes[role] = stack.enter_context(process(
                [build / 'services/host/rushproofd', 'serve', f'--role={role}', '--log-level=warning',
                 f'--database=sqlite:{folder}/{queue}-{role}.db'], own))
            wait_for(ports[role], '/health/live')
        wait_for(ports['gateway'], '/api/v1/status')
        yield ports, processes


def most_memory(process_id):
    """-> MB that the process has held at most"""
    status = Path(f'/proc/{process_id}/status').read_text(encoding='utf-8')
    return int(re.search(r'VmHWM:\s+(\d+) kB', status)[1]) / 1000


def ab(port, requests, body):
    """-> (requests per second, p95 in ms)"""
    served = f'{body}.csv'  # in full: what ab prints are whole milliseconds
    out = subprocess.run(['ab', '-q', '-n', str(requests), '-c', str(CLIENTS), '-p', body, '-T', 'application/json',
                          '-e', served, f'http://127.0.0.1:{port}/api/v1/ingest'],
                         check=True, capture_output=True, text=True).stdout
    refused = re.search(r'Non-2xx responses:\s+(\d+)', out)
    failed = re.search(r'Failed requests:\s+(\d+)', out)
    if refused or (failed and int(failed[1]) and 'Length: ' not in out):
        raise SystemExit(f'port {port}: not every answer was a success\n{out}')
    p95 = re.search(r'^95,([\d.]+)', Path(served).read_text(encoding='utf-8'), re.M)[1]
    return float(re.search(r'Requests per second:\s+([\d.]+)', out)[1]), float(p95)


def drained(ports, within=120):
    """Waits until everything that was accepted is processed."""
    for _ in range(within * 10):
        stats = json.loads(wait_for(ports['gateway'], '/api/v1/status'))
        sent, done = stats['ingest']['stats']['TotalSent'], stats['processor']['stats']['pool']['processed']
        if done >= sent:
            return sent
        time.sleep(0.1)
    raise SystemExit(f'{sent} accepted, {done} processed after {within} s')


def disk_waits(folder):
    """-> the p99 of what somebody waits for the disk, and the longest wait, in ms"""
    batch = b'x' * 16384
    ends = []
    file = os.open(f'{folder}/disk', os.O_CREAT | os.O_RDWR)
    os.sync()
    began = time.monotonic()
    while not ends or ends[-1] - began < DISK_SECONDS:
        os.pwrite(file, batch, 0)
        os.fdatasync(file)
        ends.append(time.monotonic())
    os.close(file)
    waits = []
    for before, end, after in zip([began, *ends], ends, ends[1:]):
        moments = max(1, round((end - before) / 1e-4))
        waits += [after - before - i * 1e-4 for i in range(moments)]
    waits.sort()
    return waits[len(waits) * 99 // 100] * 1000, waits[-1] * 1000


def since_accepted(ports):
    """The processor's histogram: upper bound in s -> messages up to there."""
    text = wait_for(ports['processor'], '/metrics').decode()
    found = re.findall(r'processor_since_accepted_seconds_bucket\{[^}]*le="([^"]+)"[^}]*\} (\d+)', text)
    return {float(bound): int(count) for bound, count in found}


def end_to_end(ports, rate, body):
    """-> p99 from accepted to processed, in ms: the upper bound of its bucket; and the rate that was reached"""
    os.sync()
    before = since_accepted(ports)
    count = int(rate * HALF_RATE_SECONDS)
    out = subprocess.run(['h2load', '--h1', f'-c{CLIENTS}', f'--rps={rate / CLIENTS:.0f}', f'-n{count}', '-d', body,
                          '-H', 'content-type: application/json', f"http://127.0.0.1:{ports['gateway']}/api/v1/ingest"],
                         check=True, capture_output=True, text=True).stdout
    good = int(re.search(r'(\d+) 2xx', out)[1])
    if good != count // CLIENTS * CLIENTS and good != count:
        raise SystemExit(f'{good} of {count} were accepted\n{out}')
    drained(ports)
    histogram = {bound: reached - before.get(bound, 0) for bound, reached in since_accepted(ports).items()}
    total = histogram[float('inf')]
    p99 = min(bound for bound, reached in histogram.items() if reached >= 0.99 * total)
    return p99 * 1000, float(re.search(r'finished in [\d.]+m?s, ([\d.]+) req/s', out)[1])


def servers_of(queues):
    return sorted({server for queue in queues for server in BROKERS.get(queue, [])})


@contextlib.contextmanager
def brokers_for(queues):
    """-> what infra/stack says of the brokers that it started"""
    servers = servers_of(queues)
    if not servers:
        yield {}
        return
    child = subprocess.Popen([ROOT / 'infra/stack/stack', 'hold', *servers], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True, env={**os.environ, 'RUSHPROOF_KAFKA_JAVA_OPTIONS': '-XX:TieredStopAtLevel=4'})
    try:
        variables = {}
        needed = {f'RUSHPROOF_{server.upper()}_{name}' for server in servers
                  for name in ('FOLDER', 'URL' if server == 'nats' else 'BROKERS')}
        while not needed <= set(variables):
            line = child.stdout.readline()
            if not line:
                raise SystemExit('infra/stack could not start ' + ', '.join(servers))
            found = re.match(r"(?:export )?(\w+)='?([^'\n]*)'?", line)
            if found:
                variables[found[1]] = found[2]
        yield variables
    finally:
        child.stdin.close()
        child.wait(60)


def measure(build, folder, queue, brokers, requests, body):
    """-> (requests per second, p95 in ms, p99 from accepted to processed in ms), and what to say of it"""
    names = {'RUSHPROOF_NATS_URL': 'NATS_URL', 'RUSHPROOF_KAFKA_BROKERS': 'KAFKA_BROKERS'}
    environment = {known: brokers[name] for name, known in names.items() if name in brokers}
    with pipeline(build, tempfile.mkdtemp(dir=folder), queue, environment) as (ports, processes):
        rate, p95 = ab(ports['gateway'], requests, body)
        accepted = drained(ports)
        p99, reached = end_to_end(ports, rate / 2, body)
        memory = {role: most_memory(child.pid) for role, child in processes.items()}
    return (rate, p95, p99), (f'   {accepted:,} accepted, all processed   '
                              f'at {reached:,.0f} /s accepted to processed p99 <= {p99:.1f} ms   '
                              + ', '.join(f'{role} {mb:.0f} MB' for role, mb in memory.items()))


def rates_of(tools, queues):
    """-> name of a tool, or of those of a composite at once -> how to measure it"""
    rates = {}
    for server, tool in tools.items():
        rates |= {f'{server} published': tool.published, f'{server} tool': tool.rate}
    parts = [tools.get(server) for server in BROKERS['composite']]
    if 'composite' in queues and all(parts):
        rates['composite tool'] = lambda *load: broker_tools.rate_at_once(parts, *load)
    return rates


def label(number):
    return f'round {number}' if number else 'uncounted'


def rounds(options, queues, folder):
    """-> candidate -> what each round measured: (rate,) of a tool, (rate, p95) of nginx, (rate, p95, p99) of a queue."""
    body = f'{folder}/body.json'
    Path(body).write_text(BODY)
    with brokers_for(queues) as brokers, nginx_chain(folder) as web:
        tools = broker_tools.get(servers_of(queues), brokers)
        message = broker_tools.Message(BODY)
        tool_rates = rates_of(tools, queues)

        def values_of(name):
            """-> and what to say of them"""
            if name == 'nginx':
                return ab(web, options.requests, body), ''
            if name in tool_rates:
                return (tool_rates[name](message, max(options.requests, TOOL_REQUESTS_MIN)),), ''
            return measure(options.build, folder, name, brokers, options.requests, body)

        results = {name: [] for name in ['nginx', *queues, *tool_rates]}
        for number in range(options.rounds + 1):
            if number > 0:
                p99, longest = disk_waits(folder)
                print(f'{label(number)}  the disk alone: p99 {p99:.1f} ms, longest {longest:.1f} ms', flush=True)
            for name, found in results.items():
                if number == 0 and 'kafka' not in BROKERS.get(name.split()[0], []):
                    continue
                values, told = values_of(name)
                if number > 0:
                    found.append(values)
                p95 = f'   p95 {values[1]:5.1f} ms' if len(values) > 1 else ''
                print(f'{label(number)}  {name:16}{values[0]:10,.0f} /s{p95}{told}', flush=True)
    return results


def too_slow(queue, rate, p95, tool):
    """-> what bound it missed, or nothing"""
    if tool is not None and TOOL_RATIO * tool <= RATES[queue]:
        return None if rate >= TOOL_RATIO * tool else (
            f'{queue}: {rate:,.0f}/s, bound {TOOL_RATIO * tool:,.0f}/s, which is {TOOL_RATIO} of the tool')
    if rate >= RATES[queue] and p95 < P95_MS:
        return None
    return f'{queue}: {rate:,.0f}/s at p95 {p95:.1f} ms, bound {RATES[queue]:,}/s at less than {P95_MS} ms'


def verdict(medians):
    """Prints the medians. -> the bounds that were missed"""
    print('\nmedians')
    missed = []
    for name, (rate, *times) in medians.items():
        tool = medians.get(f'{name} tool', [None])[0]
        print(f'  {name:16}{rate:10,.0f} /s' + ''.join(f'   p95 {p95:5.1f} ms' for p95 in times[:1])
              + (f"   {rate / medians['nginx'][0]:.2f} of nginx" if times else '')
              + (f'   {rate / tool:.2f} of the tool' if tool else '')
              + ''.join(f'   accepted to processed p99 <= {p99:.1f} ms' for p99 in times[1:]))
        if name in RATES:
            missed.append(too_slow(name, rate, times[0], tool))
        if times[1:] and times[1] > END_TO_END_P99_MS:
            missed.append(f'{name}: accepted to processed p99 {times[1]:.1f} ms, bound {END_TO_END_P99_MS} ms')
    if 'memory' in medians and medians['memory'][0] < MEMORY_RATIO * medians['nginx'][0]:
        missed.append(f"memory / nginx: {medians['memory'][0] / medians['nginx'][0]:.2f}, bound {MEMORY_RATIO}")
    return [line for line in missed if line]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--requests', type=int, default=100_000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--queues', default='memory,nats,kafka,composite')
    parser.add_argument('--build', type=Path, default=ROOT / 'build/release')
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = rounds(options, options.queues.split(','), folder)
    medians = {name: [statistics.median(values) for values in zip(*found)] for name, found in results.items()}
    missed = verdict(medians)
    if options.json:
        options.json.write_text(json.dumps({'medians': medians}, indent=1))
    print('\n'.join('MISSED ' + line for line in missed) or 'all bounds kept')
    return 1 if missed else 0


if __name__ == '__main__':
    raise SystemExit(main())
