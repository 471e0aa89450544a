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
After each run it waits until everything that was accepted is processed; then h2load sends at half of the rate
that was just seen, and the processor's own histogram says how long a message took from accepted to processed.
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

ROOT = Path(__file__).resolve().parents[3]
CLIENTS = 10
BODY = json.dumps({'source': 'bench', 'data': 'hello', 'metadata': {'kind': 'test'}})
RATES = {'nats': 8000, 'kafka': 8000, 'composite': 5000}
MEMORY_RATIO = 0.5
P95_MS = 5
END_TO_END_P99_MS = 20
HALF_RATE_SECONDS = 10


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
    """Three processes that know each other by the documented variables alone. -> the ports of all."""
    ports = {role: free_port() for role in ('gateway', 'ingest', 'processor')}
    environment = {
        'API_PORT': str(ports['gateway']), 'INGEST_PORT': str(ports['ingest']),
        'PROCESSOR_PORT': str(ports['processor']), 'INGEST_URL': f"http://127.0.0.1:{ports['ingest']}",
        'PROCESSOR_URL': f"http://127.0.0.1:{ports['processor']}", 'QUEUE_TYPE': queue, 'QUEUE_SIZE': '100000',
        'COMPOSITE_PROVIDERS': 'nats,kafka', **brokers}
    with contextlib.ExitStack() as stack:
        for role in ('processor', 'ingest', 'gateway'):
            own = dict(environment)
            for name in {'processor': ('PROCESSOR_URL', 'INGEST_URL'), 'ingest': ('INGEST_URL',)}.get(role, ()):
                own.pop(name)
            stack.enter_context(process([build / 'services/host/rushproofd', 'serve', f'--role={role}',
                                         '--log-level=warning', f'--database=sqlite:{folder}/{queue}-{role}.db'], own))
            wait_for(ports[role], '/health/live')
        wait_for(ports['gateway'], '/api/v1/status')
        yield ports


def ab(port, requests, body):
    """-> (requests per second, p95 in ms)"""
    out = subprocess.run(['ab', '-q', '-n', str(requests), '-c', str(CLIENTS), '-p', body, '-T', 'application/json',
                          f'http://127.0.0.1:{port}/api/v1/ingest'], check=True, capture_output=True, text=True).stdout
    refused = re.search(r'Non-2xx responses:\s+(\d+)', out)
    failed = re.search(r'Failed requests:\s+(\d+)', out)
    if refused or (failed and int(failed[1]) and 'Length: ' not in out):
        raise SystemExit(f'port {port}: not every answer was a success\n{out}')
    return float(re.search(r'Requests per second:\s+([\d.]+)', out)[1]), float(re.search(r'95%\s+(\d+)', out)[1])


def drained(ports, within=120):
    """Waits until everything that was accepted is processed."""
    for _ in range(within * 10):
        stats = json.loads(wait_for(ports['gateway'], '/api/v1/status'))
        sent, done = stats['ingest']['stats']['TotalSent'], stats['processor']['stats']['pool']['processed']
        if done >= sent:
            return sent
        time.sleep(0.1)
    raise SystemExit(f'{sent} accepted, {done} processed after {within} s')


def since_accepted(ports):
    """The processor's histogram: upper bound in s -> messages up to there."""
    text = wait_for(ports['processor'], '/metrics').decode()
    found = re.findall(r'processor_since_accepted_seconds_bucket\{[^}]*le="([^"]+)"[^}]*\} (\d+)', text)
    return {float(bound): int(count) for bound, count in found}


def end_to_end(ports, rate, body):
    """-> p99 from accepted to processed, in ms: the upper bound of its bucket; and the rate that was reached"""
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


@contextlib.contextmanager
def brokers_for(queues):
    """The variables that name the brokers, started by infra/stack."""
    servers = sorted({server for queue in queues for server in
                      {'nats': ['nats'], 'kafka': ['kafka'], 'composite': ['nats', 'kafka']}.get(queue, [])})
    if not servers:
        yield {}
        return
    child = subprocess.Popen([ROOT / 'infra/stack/stack', 'hold', *servers], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    try:
        variables = {}
        wanted = {'RUSHPROOF_NATS_URL': 'NATS_URL', 'RUSHPROOF_KAFKA_BROKERS': 'KAFKA_BROKERS'}
        needed = {wanted[f'RUSHPROOF_{server.upper()}_{"URL" if server == "nats" else "BROKERS"}'] for server in servers}
        while not needed <= set(variables):
            line = child.stdout.readline()
            if not line:
                raise SystemExit('infra/stack could not start ' + ', '.join(servers))
            found = re.match(r"(?:export )?(\w+)='?([^'\n]*)'?", line)
            if found and found[1] in wanted:
                variables[wanted[found[1]]] = found[2]
        yield variables
    finally:
        child.stdin.close()
        child.wait(60)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--requests', type=int, default=100_000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--queues', default='memory,nats,kafka,composite')
    parser.add_argument('--build', type=Path, default=ROOT / 'build/release')
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    queues = options.queues.split(',')
    results = {name: [] for name in ['nginx', *queues]}
    with tempfile.TemporaryDirectory() as folder, brokers_for(queues) as brokers:
        body = f'{folder}/body.json'
        Path(body).write_text(BODY)
        with nginx_chain(folder) as web, contextlib.ExitStack() as stack:
            for number in range(options.rounds):
                for name in results:
                    with contextlib.ExitStack() as only:
                        ports = None if name == 'nginx' else only.enter_context(
                            pipeline(options.build, tempfile.mkdtemp(dir=folder), name, brokers))
                        rate, p95 = ab(web if ports is None else ports['gateway'], options.requests, body)
                        if ports is None:
                            results[name].append((rate, p95))
                            print(f'round {number + 1}  {name:10}{rate:10,.0f} /s   p95 {p95:5.1f} ms', flush=True)
                            continue
                        accepted = drained(ports)
                        p99, reached = end_to_end(ports, rate / 2, body)
                        results[name].append((rate, p95, p99))
                        print(f'round {number + 1}  {name:10}{rate:10,.0f} /s   p95 {p95:5.1f} ms   {accepted:,} accepted, all '
                              f'processed   at {reached:,.0f} /s accepted to processed p99 <= {p99:.1f} ms', flush=True)
    medians = {name: [statistics.median(values) for values in zip(*rounds)] for name, rounds in results.items()}
    print('\nmedians')
    missed = []
    for name, (rate, p95, *p99) in medians.items():
        print(f"  {name:10}{rate:10,.0f} /s   p95 {p95:5.1f} ms   {rate / medians['nginx'][0]:.2f} of nginx"
              + ''.join(f'   accepted to processed p99 <= {value:.1f} ms' for value in p99))
        if name in RATES and (rate < RATES[name] or p95 > P95_MS):
            missed.append(f'{name}: {rate:,.0f}/s at p95 {p95:.1f} ms, bound {RATES[name]:,}/s at {P95_MS} ms')
        if p99 and p99[0] > END_TO_END_P99_MS:
            missed.append(f'{name}: accepted to processed p99 {p99[0]:.1f} ms, bound {END_TO_END_P99_MS} ms')
    if 'memory' in medians and medians['memory'][0] < MEMORY_RATIO * medians['nginx'][0]:
        missed.append(f"memory / nginx: {medians['memory'][0] / medians['nginx'][0]:.2f}, bound {MEMORY_RATIO}")
    if options.json:
        options.json.write_text(json.dumps({'medians': medians}, indent=1))
    print('\n'.join('MISSED ' + line for line in missed) or 'all bounds kept')
    return 1 if missed else 0


if __name__ == '__main__':
    raise SystemExit(main())
