#!/usr/bin/env python3
"""What each strategy sells of one hot SKU, on PostgreSQL and on SQLite, with full rows and durable commits.

    cmake --preset release && cmake --build build/release --target strategies_bench
    tests/bench/strategies/run.py [--rounds 5] [--filter REGEX] [--build build/release] [--json FILE]

Starts a private PostgreSQL of infra/stack (fsync and synchronous_commit on, no replica) and lets strategies_bench take
its turns in random order, several rounds; prints medians as Markdown, the ratios that were promised, and exits 1 when one
is missed.  TMPDIR chooses the disk, which both engines share.
"""
import argparse
import collections
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
COLUMNS = ('per_s', 'p50_ms', 'p99_ms', 'tried_again', 'conflicts', 'lock_ms', 'batch', 'failed')


def measure(options):
    program = [str(options.build / 'tests/bench/strategies/strategies_bench'), '--benchmark_format=json',
               f'--benchmark_repetitions={options.rounds}', '--benchmark_enable_random_interleaving=true',
               f'--benchmark_filter={options.filter}']
    stack = [str(ROOT / 'infra/stack/stack'), 'run', 'postgres', '--no-replica', '--'] if 'postgres' in options.filter else []
    done = subprocess.run(stack + program, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout[done.stdout.index('{'):])


def medians(report):
    """name -> column -> median"""
    turns = collections.defaultdict(list)
    for run in report['benchmarks']:
        if run['run_type'] == 'iteration':
            turns[run['run_name'].removesuffix('/iterations:1/manual_time')].append(run)
    return {name: {column: statistics.median(run.get(column, 0) for run in runs) for column in COLUMNS}
            for name, runs in turns.items()}


def table(found):
    print('| strategy | reservations/s | p50 | p99 | attempts again | conflicts | locking | in a batch | refused |')
    print('|---|---|---|---|---|---|---|---|---|')
    for name, of in sorted(found.items()):
        if name.startswith('disk'):
            print(f'| {name} | {of["per_s"]:,.0f} | | | | | | | |')
            continue
        print(f'| {name} | {of["per_s"]:,.0f} | {of["p50_ms"]:.2f} ms | {of["p99_ms"]:.2f} ms | {of["tried_again"]:.2f} '
              f'| {of["conflicts"]:.2f} | {of["lock_ms"]:.2f} ms | {of["batch"]:.1f} | {of["failed"]:.0f} |')


class Promises:
    def __init__(self, found):
        self.found = found
        self.missed = False

    def say(self, what, measured, wanted, good):
        self.missed |= not good
        print(f'| {what} | {measured} | {wanted} | {"" if good else "missed"} |')

    def postgres(self, clients, times, floor):
        runs = {name: of for name, of in self.found.items() if name.startswith('postgres/') and f'/clients:{clients}/' in name}
        if not runs:
            return
        batched = max((of for name, of in runs.items() if '/batched/' in name), key=lambda of: of['per_s'])
        name, best = max(((name, of) for name, of in runs.items() if '/batched/' not in name), key=lambda run: run[1]['per_s'])
        ratio = batched['per_s'] / best['per_s']
        self.say(f'PostgreSQL, {clients} clients: batched / best per request ({name.removeprefix("postgres/")})',
                 f'{batched["per_s"]:,.0f} / {best["per_s"]:,.0f} = {ratio:.1f}', times, ratio >= times)
        self.say('p99 of the two', f'{batched["p99_ms"]:.1f} ms, {best["p99_ms"]:.1f} ms', 'lower', batched['p99_ms'] < best['p99_ms'])
        self.say('best per request', f'{best["per_s"]:,.0f}/s', f'{floor:,}/s', best['per_s'] >= floor)

    def sqlite(self):
        of = {key: self.found.get(key, {}).get('per_s') for key in
              ('sqlite/batched/clients:64', 'sqlite/pessimistic/clients:64', 'disk/fdatasync')}
        if not all(of.values()):
            return
        batched, pessimistic, flushes = of.values()
        self.say('SQLite, 64 clients: batched / pessimistic', f'{batched:,.0f} / {pessimistic:,.0f} = {batched / pessimistic:.1f}',
                 3, batched >= 3 * pessimistic)
        self.say('SQLite, 64 clients: pessimistic / fdatasync', f'{pessimistic:,.0f} / {flushes:,.0f} = {pessimistic / flushes:.2f}',
                 0.4, pessimistic >= 0.4 * flushes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--filter', default='disk|sqlite|postgres')
    parser.add_argument('--build', type=Path, default=ROOT / 'build/release')
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    report = measure(options)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    found = medians(report)
    print('| what | measured | wanted | |')
    print('|---|---|---|---|')
    promises = Promises(found)
    promises.postgres(16, 4, 1500)
    promises.postgres(64, 10, 700)
    promises.sqlite()
    print()
    table(found)
    return promises.missed


if __name__ == '__main__':
    sys.exit(main())
