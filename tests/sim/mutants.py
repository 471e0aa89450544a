#!/usr/bin/env python3
"""Which documented bugs the judge must see, where it looks for them, and which promise each of them breaks.

As a program: prints how many seeds each takes, as a table.   tests/sim/mutants.py [SEEDS] > table.md"""
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from programs import MUTANTS, ROOT, RUSHPROOF, VIOLATED, failed_checks, records, run  # noqa: E402

FAST = ROOT / 'scenarios' / 'fast'


class Mutant:
    def __init__(self, bug, *promises, scenario='swarm', only='reservation=conditional', settings=(), program=MUTANTS):
        self.bug, self.promises, self.only = bug, promises, only
        self.scenario, self.settings, self.program = FAST / f'{scenario}.yaml', settings, program

    def runs(self, name, seeds):
        """The records of `seeds` seeds, and what went to standard error."""
        sets = [*self.settings, *([f'system.mutant={name}'] if self.program == MUTANTS else [])]
        with tempfile.TemporaryDirectory() as out:
            status, output, error = run(self.program, 'run', self.scenario, '--seeds', f'1..{seeds}', '--json', '--out',
                                        out, '--only', self.only, *(f'--set={each}' for each in sets))
        assert status in (0, VIOLATED), error
        return records(output), error


NATS = {'scenario': 'brokers', 'only': 'queue=nats'}
KAFKA = {'scenario': 'brokers', 'only': 'queue=kafka'}

ALL = {
    'M01': Mutant('reads the stock, then writes what it computed', 'no-oversell', 'conservation'),
    'M02': Mutant('checks the stock in one transaction, takes it in another', 'no-oversell', 'linearizable'),
    'M03': Mutant('takes a serialization failure for a success', 'acknowledged-survives'),
    'M04': Mutant('write skew: checks the sum of rows that others add to', 'no-oversell', 'linearizable', 'conservation'),
    # Deadlocks are found after a second: whoever waits for less never sees one.  Few SKUs, so that baskets
    # meet, and enough of each.
    'M05': Mutant('goes on after a deadlock with half of a basket', 'conservation', 'all-or-nothing', 'lifecycle',
                  settings=['load.hampers.rate=16/s', 'journeys.fill.1.retry.attempt-timeout=1900ms', 'stock.skus=4',
                            'stock.units=200']),
    'M06': Mutant('repeats an unknown commit without its key', 'idempotent', 'lifecycle'),
    'M07': Mutant('writes the key after the effect was committed', 'idempotent', 'lifecycle'),
    'M08': Mutant('looks for the key, with nothing unique', 'idempotent', 'lifecycle'),
    'M09': Mutant('gives another request under the same key the first answer', 'idempotent'),
    'M14': Mutant('commits, then tells: no outbox', 'audit'),
    'M15': Mutant('tells, then commits: no outbox', 'audit'),
    'M16': Mutant('the relay reads numbers above the last it has seen', 'audit'),
    'M17': Mutant('the relay removes events before it delivers them', 'audit'),
    'M18': Mutant('the consumer acknowledges before the effect', 'accepted-is-processed', 'delivery', **KAFKA),
    'M19': Mutant('the effect has no record: again when delivered again', 'delivery', **NATS),
    'M20': Mutant('the record of the effect ends before the last repeat', 'delivery', **NATS),
    # Zombies: pauses for longer than the broker waits, while the database is slow enough to be caught in the middle.
    'M21': Mutant('a zombie looked before it was replaced, and writes after it', 'delivery', **NATS,
                  settings=['swarm.subset=all', 'swarm.duration={dist: uniform, min: 3s, max: 6s}',
                            'swarm.kinds=[{pause: {target: processor}}, {latency: '
                            '{between: [processor, database], delay: {min: 20ms, max: 200ms}}}]']),
    'M25': Mutant('expires whatever state a reservation is in', 'lifecycle', 'conservation'),
    'M26': Mutant("expires by the service's own clock", 'lifecycle'),
    'M27': Mutant('two sweepers, each as if it were the only one', 'lifecycle', 'conservation', 'idempotent'),
    'M28': Mutant('decides by a replica that lags', 'no-oversell', settings=['system.replicas=1']),
    'M30': Mutant('promotes a standby that does not have everything', 'acknowledged-survives', scenario='database',
                  settings=['system.replicas=1', 'system.synchronous-standbys=0'], program=RUSHPROOF),
}


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print('| mutant | bug | first seed | seeds that show it | found by |\n|---|---|---|---|---|')
    for name, mutant in ALL.items():
        found, _ = mutant.runs(name, seeds)
        failing = [record for record in found if record['exit_code'] == VIOLATED]
        first = min((record['seed'] for record in failing), default='never')
        checks = sorted({check for record in failing for check in failed_checks(record)})
        print(f'| {name} | {mutant.bug} | {first} | {len(failing)} of {seeds} | {", ".join(checks)} |', flush=True)


if __name__ == '__main__':
    main()
