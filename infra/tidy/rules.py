"""What may stand where: the tables behind tidy.py."""

# Who may include whom: first matching folder of the including file -> allowed prefixes.
# Arrows point one way: base <- ports <- runtime <- services <- {services/host, simulator/world}.
ARROWS = [
    ('core/base/', ['core/base/']),
    ('core/ports/', ['core/base/', 'core/ports/']),
    ('core/runtime/', ['core/base/', 'core/ports/', 'core/protocol/', 'core/runtime/']),
    ('core/config/', ['core/base/', 'core/config/']),
    ('core/real/', ['core/base/', 'core/ports/', 'core/runtime/', 'core/protocol/', 'core/real/']),
    ('services/host/', ['core/', 'services/']),
    ('services/inventory/', ['core/base/', 'core/ports/', 'core/runtime/', 'core/protocol/', 'services/inventory/']),
    ('services/catalog/', ['core/base/', 'core/ports/', 'core/runtime/', 'core/protocol/', 'services/catalog/']),
    ('services/ingest/', ['core/base/', 'core/ports/', 'core/runtime/', 'core/protocol/', 'services/ingest/']),
    ('services/processor/', ['core/base/', 'core/ports/', 'core/runtime/', 'core/protocol/', 'services/processor/']),
    ('services/gateway/', ['core/base/', 'core/ports/', 'core/runtime/', 'core/protocol/', 'services/gateway/']),
    ('simulator/record/', ['core/base/', 'simulator/record/']),
    ('simulator/scenario/', ['core/base/', 'simulator/scenario/']),
    ('simulator/checkers/', ['core/base/', 'simulator/record/', 'simulator/checkers/']),
    ('simulator/models/', ['core/base/', 'core/ports/', 'simulator/models/']),
    ('simulator/load/', ['core/base/', 'core/ports/', 'core/runtime/', 'simulator/record/',
                         'simulator/scenario/', 'simulator/load/']),
    ('simulator/faults/', ['core/base/', 'simulator/record/', 'simulator/scenario/', 'simulator/faults/']),
    ('simulator/world/', ['core/base/', 'core/ports/', 'core/runtime/', 'simulator/record/',
                          'simulator/scenario/', 'simulator/models/', 'simulator/load/', 'simulator/faults/', 'simulator/world/']),
    ('simulator/live/', ['core/', 'simulator/record/', 'simulator/scenario/', 'simulator/load/', 'simulator/faults/', 'simulator/live/']),
    ('simulator/cli/', ['core/', 'services/inventory/inventory', 'services/catalog/catalog', 'services/gateway/gateway.hpp',
                        'services/ingest/ingest.hpp', 'services/processor/processor',
                        'simulator/', 'reports/']),
    ('reports/', ['core/base/', 'simulator/record/', 'reports/']),
]
# Tests and benchmarks may include anything.
ARROWS_EXEMPT = r'(^|/)(tests|bench)/'

# What the two worlds share: here real time, threads and devices would leak in.
SHARED_BY_BOTH_WORLDS = (r'^(core/(base|ports|runtime)|services/(?!host/)\w+'
                         r'|simulator/(record|scenario|checkers|models|load|world))/')
EVERYWHERE = r'\.(cpp|hpp)$'
OUTSIDE_REAL = r'^(?!core/real/|services/host/|simulator/live/|simulator/cli/).*\.(cpp|hpp)$'

# (pattern, where, instead)
BANNED = [
    (r'std::chrono::\w+_clock\b|\bclock_gettime\b|\bgettimeofday\b', SHARED_BY_BOTH_WORLDS,
     'use the Clock port: clock.monotonic() or clock.wall()'),
    (r'\b(steady_timer|system_timer|deadline_timer|tcp_stream)\b', SHARED_BY_BOTH_WORLDS,
     'use sleep_until(clock, at): a stock timer starts a hidden thread on a foreign context'),
    (r'std::random_device|\bs?rand\(|std::mt19937', SHARED_BY_BOTH_WORLDS, 'use the Random port or keyed_stream()'),
    (r'std::\w+_distribution\b|std::shuffle|std::sample', SHARED_BY_BOTH_WORLDS,
     'use RandomStream: standard distributions differ between libraries'),
    (r'std::(thread|jthread|async|mutex|condition_variable)\b|\bpthread_', SHARED_BY_BOTH_WORLDS,
     'a service instance is single-threaded: use a coroutine'),
    (r'std::hash\b', SHARED_BY_BOTH_WORLDS, 'use hash64(): std::hash differs between libraries'),
    (r'std::(unordered_)?(set|map)<[^<>,]*\*', SHARED_BY_BOTH_WORLDS, 'order by an id, never by an address'),
    (r'\b(std::)?getenv\(', OUTSIDE_REAL, 'pass configuration in as a typed value'),
    (r'\bis_?[sS]imulat(ed|ion)\b', r'^(core|services)/', 'nothing outside simulator/ may ask which world it is in'),
    (r'\busing namespace\b', EVERYWHERE, 'name what you use'),
    (r'\bassert\(', EVERYWHERE, 'use RP_ASSERT: it is on in every build'),
    (r'\bstd::cout\b|\bstd::cerr\b', OUTSIDE_REAL, 'return the text; the program prints it'),
    (r'\blong double\b', SHARED_BY_BOTH_WORLDS, 'use integers: long double differs between machines'),
    (r'(?i)\b(todo|fixme|xxx)\b', EVERYWHERE, 'do it, or write an issue'),
]
# `std::hash` as a base of the salted plant and the like: the planted bugs themselves.
BANNED_EXEMPT = r'(^|/)(tests|bench)/|/(plants?|mutants?)\w*\.(cpp|hpp)$'

LINES_MAX = 600
# Every role has the same rooms.
ROLE_SHAPE = ['README.md', '{role}.hpp', 'limits.hpp', 'api', 'app', 'tests']
ROLES = ['inventory', 'catalog', 'gateway', 'ingest', 'processor']

# Symbols that no object of services/ and core/runtime may need.  Asio's channels pull pthread_mutex.
BANNED_SYMBOLS = (r'clock_gettime|gettimeofday|\btime$|chrono::_V2::\w+_clock::now|random_device|getrandom|getentropy'
                  r'|pthread_create|std::thread|\bsocket$|\bconnect$|\bopen(64)?$|\bfopen(64)?$|basic_[io]?f(stream|ilebuf)'
                  r'|\bgetenv$|\bnanosleep$|\busleep$')
