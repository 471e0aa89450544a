#!/usr/bin/env python3
"""Style that a machine can judge, as tests: `tidy.py CHECK` from the repository's root.

  words    banned words, each with what to write instead
  arrows   who may include whom
  files    length, shape of each role, sources that no CMakeLists.txt lists, dead links in documents
  await    co_await shapes that g++ 12 miscompiles; two random draws in one expression
  format   clang-format
  changed  clang-tidy on the files changed since the last landing (RUSHPROOF_TIDY_BASE=commit to choose)
  requirements  docs/requirements.md: every row has a state, and what it names exists
  symbols BUILD  no clock, thread, socket, file or random device in the objects of the shared code
"""
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import co_await_check  # noqa: E402
import rules  # noqa: E402


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def tracked(*endings):
    names = output('git', 'ls-files', '--cached', '--others', '--exclude-standard').splitlines()
    return [name for name in names if name.endswith(endings) and os.path.exists(name)]


def lines_of(name):
    with open(name, encoding='utf-8') as file:
        return file.read().splitlines()


def words():
    table = [(re.compile(pattern), re.compile(where), instead) for pattern, where, instead in rules.BANNED]
    for name in tracked('.cpp', '.hpp'):
        if re.search(rules.BANNED_EXEMPT, name):
            continue
        active = [(pattern, instead) for pattern, where, instead in table if where.search(name)]
        text = '\n'.join(lines_of(name))
        code = co_await_check.without_comments_and_texts(text).splitlines()
        for number, (line, bare) in enumerate(zip(text.splitlines(), code), 1):
            for pattern, instead in active:
                found = pattern.search(line if '?i' in pattern.pattern else bare)
                if found:
                    yield f"{name}:{number}: '{found.group()}' is banned here: {instead}"


def arrows():
    for name in tracked('.cpp', '.hpp'):
        allowed = next((to for folder, to in rules.ARROWS if name.startswith(folder)), None)
        if allowed is None or re.search(rules.ARROWS_EXEMPT, name):
            continue
        for number, line in enumerate(lines_of(name), 1):
            found = re.match(r'\s*#include "([^"]+)"', line)
            if found and not found.group(1).startswith(tuple(allowed)):
                yield (f"{name}:{number}: may not include {found.group(1)}: "
                       f"from here only {', '.join(allowed)} (infra/tidy/rules.py)")


def files():
    for name in tracked('.cpp', '.hpp', '.py', '.sh'):
        length = len(lines_of(name))
        if length > rules.LINES_MAX:
            yield f"{name}: {length} lines; split it into parts that each are one thing (at most {rules.LINES_MAX})"
    for role in rules.ROLES:
        for room in rules.ROLE_SHAPE:
            path = Path('services') / role / room.format(role=role)
            if not path.exists():
                yield f"{path}: missing; every role has it"
    for name in tracked('.cpp'):
        header = name[:-4] + '.hpp'
        if os.path.exists(header):
            first = next((line for line in lines_of(name) if line.startswith('#include')), '')
            if header not in first:
                yield f"{name}: its first include must be its own header, which shows that the header stands alone"
    listed = '\n'.join(Path(name).read_text(encoding='utf-8') for name in tracked('CMakeLists.txt', '.cmake'))
    for name in tracked('.cpp'):
        if Path(name).name not in listed:
            yield f"{name}: in no CMakeLists.txt, so nothing compiles it"
    for name in tracked('.md'):
        for number, line in enumerate(lines_of(name), 1):
            for target in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', line):
                if not (Path(name).parent / target).exists():
                    yield f"{name}:{number}: dead link to {target}"


def await_():
    for name in tracked('.cpp', '.hpp'):
        if co_await_check.check(name):
            yield f"{name}: see above"


def format_():
    done = subprocess.run(['clang-format-19', '--dry-run', '-Werror', *tracked('.cpp', '.hpp')],
                          capture_output=True, text=True, check=False)
    for line in done.stderr.splitlines():
        if 'error:' in line:
            yield line + ' (clang-format-19 -i FILE)'


def tidy_base():
    """The commit to compare with: asked for, or where this branch left the landed one, or the last."""
    asked = os.environ.get('RUSHPROOF_TIDY_BASE')
    if asked:
        return asked
    head = output('git', 'rev-parse', 'HEAD').strip()
    for branch in ('origin/main', 'main'):
        found = subprocess.run(['git', 'merge-base', 'HEAD', branch], capture_output=True, text=True, check=False)
        if found.returncode == 0 and found.stdout.strip() != head:
            return found.stdout.strip()
    found = subprocess.run(['git', 'rev-parse', '--verify', '-q', 'HEAD~1'], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def changed():
    base = tidy_base()
    if base is None:
        return
    names = set(output('git', 'diff', '--name-only', '--diff-filter=d', base).splitlines())
    sources = sorted(name for name in names if name.endswith('.cpp') and os.path.exists(name))
    compiled = Path('build/dev/compile_commands.json').read_text(encoding='utf-8')
    sources = [name for name in sources if f'/{name}"' in compiled]
    print(f'clang-tidy on {len(sources)} files changed since {base[:12]}')
    if not sources:
        return
    done = subprocess.run(['run-clang-tidy-19', '-quiet', '-j', str(os.cpu_count()), '-p', 'build/dev', *sources],
                          capture_output=True, text=True, check=False)
    found = {line for line in done.stdout.splitlines() if re.search(r': (warning|error):', line)}
    # The analyzer walks into libraries, where what it finds is not ours to change.
    yield from sorted(line for line in found if not line.startswith('/usr/'))
    if done.returncode != 0 and not found:
        yield done.stdout[-2000:] + done.stderr[-2000:]


def requirements():
    name = 'docs/requirements.md'
    sources = '\n'.join(Path(path).read_text(encoding='utf-8') for path in tracked('_test.cpp', '_test.py'))
    rows = 0
    for number, line in enumerate(lines_of(name), 1):
        cells = [cell.strip() for cell in line.split('|')[1:-1]]
        if len(cells) != 5 or not re.fullmatch(r'[A-Z]+-\d+', cells[0]):
            continue
        rows += 1
        state, shown = cells[3], cells[4]
        if not re.match(r'(done|partial|not yet)\b', state):
            yield f"{name}:{number}: the state is done, partial or not yet, then a note, not '{state}'"
        named = re.findall(r'`([^`]+)`', shown)
        if not state.startswith('not yet') and not named:
            yield f"{name}:{number}: {cells[0]} is {state.split()[0]}, but names no test that shows it"
        for test in named:
            suite, _, case = test.partition('.')
            exists = os.path.exists(test) or f'TEST({suite}, {case})' in sources or f'TEST_F({suite}, {case})' in sources
            if not exists:
                yield f"{name}:{number}: there is no test or file called {test}"
    if rows < 200:
        yield f'{name}: only {rows} rows; every requirement keeps its row'


def symbols(build):
    banned = re.compile(rules.BANNED_SYMBOLS)
    archives = [path for folder in ('core/runtime', 'services/inventory', 'services/catalog', 'services/gateway', 'services/ingest', 'services/processor')
                for path in sorted(Path(build, folder).glob('*.a')) if 'mutants' not in path.name]
    if not archives:
        yield f'{build}: no archives found; build first'
    for archive in archives:
        place = archive.name
        for line in output('nm', '-C', '-u', str(archive)).splitlines():
            if line.endswith(':'):
                place = f'{archive.name}({line[:-1]})'
            elif banned.search(line.strip()):
                yield f'{place}: needs {line.strip().split(maxsplit=1)[-1]}: ask a port of core/ports instead'


CHECKS = {'words': words, 'arrows': arrows, 'files': files, 'await': await_, 'format': format_,
          'changed': changed, 'requirements': requirements, 'symbols': symbols}

if __name__ == '__main__':
    if len(sys.argv) < 2 or sys.argv[1] not in CHECKS:
        print(__doc__)
        sys.exit(2)
    problems = list(CHECKS[sys.argv[1]](*sys.argv[2:]))
    print('\n'.join(problems))
    sys.exit(1 if problems else 0)
