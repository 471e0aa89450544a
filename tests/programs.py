"""Where the programs under test are, and how to run them."""
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get('RUSHPROOF_BUILD', ROOT / 'build' / 'dev'))
RUSHPROOF = BUILD / 'simulator' / 'cli' / 'rushproof'
MUTANTS = BUILD / 'tests' / 'sim' / 'rushproof-mutants'
RUSHPROOFD = BUILD / 'services' / 'host' / 'rushproofd'
# The same program by the other compiler; missing in a quick check.
RUSHPROOF_GCC = ROOT / 'build' / 'gcc' / 'simulator' / 'cli' / 'rushproof'

PASS, VIOLATED, UNKNOWN, INVALID = 0, 90, 94, 104


def run(program, *arguments, environment=None, folder=ROOT):
    """-> (exit code, standard output, standard error)"""
    done = subprocess.run([str(program), *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                          check=False, env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr


def records(output):
    """The run records of `rushproof run --json`."""
    return [json.loads(line) for line in output.splitlines() if line.startswith('{')]


def failed_checks(record):
    return [check['name'] for check in record['checks'] if check['verdict'] != 'pass']
