#!/usr/bin/env python3
"""Goal: each check finds what it must and leaves the allowed twin alone.
Method: a throw-away repository with one planted line at a time."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TIDY = Path(__file__).resolve().parent.parent / 'tidy.py'


def problems(check, files, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(['git', 'init', '-q', folder], check=True)
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding='utf-8')
        done = subprocess.run([sys.executable, TIDY, check, *arguments], cwd=folder, capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class Tidy(unittest.TestCase):
    def refuses(self, check, files, words):
        status, text = problems(check, files)
        self.assertEqual(status, 1, text)
        self.assertIn(words, text)

    def allows(self, check, files):
        status, text = problems(check, files)
        self.assertEqual(status, 0, text)

    def test_words(self):
        clock = 'auto t = std::chrono::steady_clock::now();\n'
        self.refuses('words', {'services/inventory/a.cpp': clock}, 'use the Clock port')
        self.allows('words', {'core/real/os/a.cpp': clock})
        self.allows('words', {'services/inventory/a.cpp': '// std::chrono::steady_clock is banned\n'})
        self.refuses('words', {'core/base/a.cpp': 'using namespace std;\n'}, 'name what you use')
        self.refuses('words', {'core/base/a.cpp': '// TODO later\n'}, 'do it')
        self.refuses('words', {'simulator/world/a.cpp': 'std::map<Host*, int> hosts;\n'}, 'never by an address')

    def test_arrows(self):
        self.refuses('arrows', {'core/base/a.cpp': '#include "core/ports/clock.hpp"\n'}, 'may not include')
        self.refuses('arrows', {'services/gateway/a.cpp': '#include "simulator/world/host.hpp"\n'}, 'may not include')
        self.allows('arrows', {'core/ports/a.cpp': '#include "core/base/time.hpp"\n'})

    def test_await(self):
        bad = ['co_await f({.name = s, .n = 1});', 'co_await f(Options{s, 1});', 'co_await f([s] { g(s); });',
               'switch (co_await f()) { default: break; }', 'x = b ? co_await f(Agg{}) : 0;',
               'while (more && co_await f()) {}', 'for (; more || !co_await f();) {}', 'co_return a && (b || co_await f());',
               'co_return b ? co_await f() : 0;', 'co_return b ? 0 : co_await f();', 'g(a && co_await f());',
               'if ((a && co_await f()) || (b && co_await g())) { h(); }', 'do { g(); } while (a() && co_await f());']
        for line in bad:
            self.refuses('await', {'a.cpp': f'Task<void> t() {{ {line} }}\n'}, 'error:')
        good = ['co_await f(std::move(options));', 'co_await f([&] { g(); });', 'auto r = co_await f(Options(s));',
                'for (auto& x : co_await f()) { g(x); }', 'if (auto r = co_await f(); r) { g(); }',
                'if (a || (b && !co_await f())) { g(); }', 'auto&& r = co_await f();', 'if (a && b) co_await f();',
                'for (auto&& x : co_await f()) { g(x); }', 'co_return co_await f() && b;', 'while (co_await f() && b) {}',
                'co_await (f() || g());', 'g(a && b, co_await f());', 'for (bool m = a && b; m;) { co_await f(); }']
        for line in good:
            self.allows('await', {'a.cpp': f'Task<void> t() {{ {line} }}\n'})

    def test_one_draw_per_expression(self):
        self.refuses('await', {'a.cpp': 'void t() { f(random.next(), random.next()); }\n'}, 'two random draws')
        self.allows('await', {'a.cpp': 'void t() { auto a = random.next(); f(a, random.next()); }\n'})
        self.allows('await', {'a.cpp': 'bool t() { return random.chance(5) && random.chance(6); }\n'})

    def test_format(self):
        style = (TIDY.parent.parent.parent / '.clang-format').read_text(encoding='utf-8')
        self.refuses('format', {'.clang-format': style, 'a.cpp': 'int  f( );\n'}, 'error:')
        self.allows('format', {'.clang-format': style, 'a.cpp': 'int f();\n'})

    def test_files(self):
        shape = {f'services/{role}/{room}': '# x\n' for role in ('inventory', 'catalog', 'gateway', 'ingest', 'processor')
                 for room in ('README.md', f'{role}.hpp', 'limits.hpp', 'api/a.md', 'app/a.md', 'tests/a.md')}
        self.allows('files', shape)
        self.refuses('files', {**shape, 'core/a.cpp': 'int a;\n'}, 'in no CMakeLists.txt')
        self.refuses('files', {**shape, 'README.md': '[x](missing.md)\n'}, 'dead link')
        self.refuses('files', {**shape, 'core/a.hpp': '\n' * 601}, '601 lines')
        self.refuses('files', {**shape, 'core/a.hpp': '', 'core/a.cpp': '#include <string>\n',
                               'core/CMakeLists.txt': 'a.cpp'}, 'first include')
        without = {name: text for name, text in shape.items() if name != 'services/gateway/README.md'}
        self.refuses('files', without, 'every role has it')

    def test_symbols(self):
        with tempfile.TemporaryDirectory() as build:
            for folder in ('core/runtime', 'services/inventory', 'services/gateway'):
                Path(build, folder).mkdir(parents=True)

            def archive(code):
                source = Path(build, 'a.cpp')
                source.write_text(code, encoding='utf-8')
                subprocess.run(['g++', '-c', source, '-o', Path(build, 'a.o')], check=True)
                library = Path(build, 'core/runtime/liba.a')
                library.unlink(missing_ok=True)
                subprocess.run(['ar', 'rc', library, Path(build, 'a.o')], check=True)
                return problems('symbols', {}, build)

            self.assertEqual(archive('int f() { return 1; }')[0], 0)
            status, text = archive('#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }')
            self.assertEqual(status, 1)
            self.assertIn('ask a port', text)


if __name__ == '__main__':
    unittest.main()
