#!/usr/bin/env python3
"""Requests per CPU-second of the server: our gateway against nginx that only says 200.

    cmake --preset release && cmake --build build/release --target rushproofd gateway_bench_server
    tests/bench/gateway/run.py [--rounds 5] [--seconds 3] [--build build/release] [--json FILE]

Needs nginx and wrk.  All servers get the same load by the same wrk (one thread, 64 connections) in
alternation, because other work on the machine disturbs them alike; wall-clock rates say little there.
  nginx    return 200 (reads and forgets the body)
  gateway  our HTTP server and gateway: parse, route, check, call inventory, answer; no database
  full     rushproofd --role all on SQLite, every reservation durable before its answer; labelled so
           because it does far more than the other two
Then the memory (resident set) of rushproofd: idle, and under 5,000 requests/s of which one in five
reserves.  Exits 1 when a bound of BOUNDS is missed.
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

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BOUNDS = {'gateway / nginx': 0.7, 'idle MB': 40, 'loaded MB': 120}
CONNECTIONS = 64
PACED_RATE = 5000


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def on_core(core):
    return ['taskset', '-c', str(core)] if os.cpu_count() > 1 else []


def cpu_seconds(pid):
    """Of all its threads, to the nanosecond; a thread that ended in between would be missed."""
    threads = Path(f'/proc/{pid}/task').iterdir()
    return sum(int((thread / 'schedstat').read_text().split()[0]) for thread in threads) / 1e9


def resident_mb(pid):
    return int(re.search(r'VmRSS:\s+(\d+)', Path(f'/proc/{pid}/status').read_text())[1]) / 1024


@contextlib.contextmanager
def process(arguments, **options):
    child = subprocess.Popen(on_core(0) + [str(a) for a in arguments], **options)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(20)


@contextlib.contextmanager
def nginx(folder):
    port = free_port()
    config = Path(folder) / 'nginx.conf'
    config.write_text(f'''
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }}
}}''')
    with process([shutil.which('nginx') or '/usr/sbin/nginx', '-c', config, '-p', folder]) as child:
        wait_for(f'127.0.0.1:{port}', '/')
        yield child.pid, f'127.0.0.1:{port}'


@contextlib.contextmanager
def bench_server(build):
    program = build / 'tests/bench/gateway/gateway_bench_server'
    with process([program], stdout=subprocess.PIPE, text=True) as child:
        yield child.pid, child.stdout.readline().strip()


@contextlib.contextmanager
def rushproofd(build, folder):
    reader, writer = os.pipe()
    arguments = [build / 'services/host/rushproofd', 'serve', '--listen=127.0.0.1:0', '--log-level=warning',
                 f'--database=sqlite:{folder}/bench.db', f'--ready-fd={writer}', '--drain-grace=0ms']
    with process(arguments, pass_fds=[writer]) as child:
        os.close(writer)
        with os.fdopen(reader) as pipe:
            address = json.loads(pipe.readline())['http']
        yield child.pid, address


def wait_for(address, path):
    for _ in range(200):
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f'http://{address}{path}').read()
        time.sleep(0.05)
    raise SystemExit(f'{address} does not answer')


def put_stock(address):
    body = json.dumps({'on_hand': 1_000_000_000}).encode()
    request = urllib.request.Request(f'http://{address}/api/v1/stock/SKU-1', body,
                                     {'Content-Type': 'application/json'}, method='PUT')
    urllib.request.urlopen(request).read()


def wrk(address, seconds, script, *arguments):
    """-> (answers, answers that are not 2xx or 3xx, requests per second)"""
    command = on_core(1) + ['wrk', '-t1', f'-c{CONNECTIONS}', f'-d{seconds}s', '-s', str(HERE / script),
                            f'http://{address}', '--', *map(str, arguments)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    refused = re.search(r'Non-2xx or 3xx responses: (\d+)', out)
    return (int(re.search(r'(\d+) requests in', out)[1]), int(refused[1]) if refused else 0,
            float(re.search(r'Requests/sec:\s+([\d.]+)', out)[1]))


def per_cpu_second(pid, address, seconds):
    before = cpu_seconds(pid)
    answers, refused, rate = wrk(address, seconds, 'reserve.lua')
    if refused:
        raise SystemExit(f'{refused} of {answers} answers of {address} were errors')
    return {'per_cpu_second': answers / (cpu_seconds(pid) - before), 'per_second': rate}


def measure_rates(build, folder, rounds, seconds):
    results = {'nginx': [], 'gateway': [], 'full': []}
    with nginx(folder) as web, bench_server(build) as edge, rushproofd(build, folder) as full:
        put_stock(full[1])
        for number in range(rounds):
            for name, server in (('nginx', web), ('gateway', edge), ('full', full)):
                result = per_cpu_second(*server, seconds)
                results[name].append(result)
                print(f"round {number + 1}  {name:8}{result['per_cpu_second']:10,.0f} per CPU-second"
                      f"{result['per_second']:10,.0f} per second", flush=True)
    return {name: {key: statistics.median(r[key] for r in all_rounds) for key in all_rounds[0]}
            for name, all_rounds in results.items()}


def measure_memory(build, folder):
    os.remove(f'{folder}/bench.db')
    with rushproofd(build, folder) as (pid, address):
        wait_for(address, '/health/ready')
        idle = resident_mb(pid)
        put_stock(address)
        _, refused, rate = wrk(address, 10, 'paced.lua', CONNECTIONS * 1000 / PACED_RATE)
        return {'idle MB': idle, 'loaded MB': resident_mb(pid), 'loaded rate': rate, 'refused': refused}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=int, default=3)
    parser.add_argument('--build', type=Path, default=ROOT / 'build/release')
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        medians = measure_rates(options.build, folder, options.rounds, options.seconds)
        memory = measure_memory(options.build, folder)
    ratios = {f'{name} / nginx': medians[name]['per_cpu_second'] / medians['nginx']['per_cpu_second']
              for name in ('gateway', 'full')}
    print('\nmedian of requests per CPU-second of the server')
    for name, values in medians.items():
        print(f"  {name:8}{values['per_cpu_second']:10,.0f}")
    for name, ratio in ratios.items():
        print(f'{name}: {ratio:.2f}')
    print(f"rushproofd --role all: idle {memory['idle MB']:.1f} MB, at {memory['loaded rate']:,.0f} "
          f"requests/s {memory['loaded MB']:.1f} MB ({memory['refused']} refused)")
    if options.json:
        options.json.write_text(json.dumps({'medians': medians, 'ratios': ratios, 'memory': memory}, indent=1))
    found = {**ratios, **memory}
    missed = [f'{name}: {found[name]:.2f}, bound {bound}' for name, bound in BOUNDS.items()
              if (found[name] < bound if '/' in name else found[name] > bound)]
    print('\n'.join(['MISSED ' + line for line in missed]) or 'all bounds kept')
    return 1 if missed else 0


if __name__ == '__main__':
    raise SystemExit(main())
