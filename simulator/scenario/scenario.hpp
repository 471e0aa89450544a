// A scenario file as C++ values, after the matrix was expanded: what one run needs.
// docs/scenario.md describes the YAML; simulator/scenario/parser.hpp reads it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/time.hpp"

namespace rushproof::simulator {

// Where a value stands in its file, counted from 1; line 0 means "not from a file".
struct Location {
    int line = 0;
    int column = 0;
};

// Durations drawn from the seed.  `mean` serves constant and exponential; `min` and `max` bound
// both uniform and exponential (max 0: unbounded); lognormal has a median (`mean`) and sigma.
enum class DrawKind : std::uint8_t { constant, uniform, exponential, lognormal };
struct DurationDraw {
    DrawKind kind = DrawKind::constant;
    Duration mean{};
    Duration min{};
    Duration max{};
    double sigma = 0;
};

// Whole numbers drawn from the seed: one of `values` by weight (millionths that sum to 1,000,000),
// or uniform in [min, max] when `values` is empty.
struct NumberDraw {
    std::vector<std::pair<std::int64_t, std::uint32_t>> values;
    std::int64_t min = 1;
    std::int64_t max = 1;
};

enum class PopularityKind : std::uint8_t { uniform, zipf, fixed };
struct Popularity {
    PopularityKind kind = PopularityKind::uniform;
    double s = 1.0;   // zipf exponent
    std::string sku;  // fixed
};

struct Stock {
    std::int64_t skus = 1;                                  // named SKU-1 ... SKU-n
    NumberDraw units;                                       // drawn per SKU
    std::vector<std::pair<std::string, std::int64_t>> set;  // by name, beside or instead of them
};

// Rates are in thousandths of an arrival per second: whole numbers keep arrivals exact.
struct Rate {
    std::int64_t per_1000_seconds = 0;
};
struct Stage {
    std::int64_t target = 0;  // Rate::per_1000_seconds, or users
    Duration duration{};
};
enum class Executor : std::uint8_t { constant_arrival_rate, ramping_arrival_rate, constant_vus };
enum class Arrivals : std::uint8_t { poisson, uniform };
struct Load {
    std::string name;
    Location location;
    Executor executor = Executor::constant_arrival_rate;
    Rate rate;        // constant arrival rate
    Rate start_rate;  // ramping arrival rate
    std::vector<Stage> stages;
    std::int64_t vus = 0;  // constant users, each one request at a time
    Duration start_time{};
    std::optional<Duration> duration;  // until the end of the run when absent
    Arrivals arrivals = Arrivals::poisson;
    std::int64_t max_in_flight = 20'000;  // arrivals beyond it are shed and counted
    std::string journey;
    bool read_your_writes = true;  // buyers send back the position of what they wrote
    std::optional<Popularity> popularity;
};

// How a journey keys its reserves: one key for a buyer's whole journey, one per reserve step (its
// retries share it), or a new one for every attempt (which is a client's mistake).
enum class KeyPolicy : std::uint8_t { per_buyer, per_step, per_attempt };
struct ReserveStep {
    std::string sku;  // empty: $popular
    NumberDraw quantity;
    KeyPolicy key = KeyPolicy::per_step;
    bool queued = false;  // through the pipeline: accepted first, answered later
};
// Sends a message into the pipeline.
struct IngestStep {
    std::string key;        // of its order; empty: $popular
    std::int64_t keys = 0;  // above 0: one of key-1 ... key-n instead, all alike
    std::int64_t bytes = 64;
    KeyPolicy idempotency = KeyPolicy::per_step;
};
// A basket: so many SKUs by popularity.  One that comes twice adds up.
struct ReserveManyStep {
    NumberDraw items;
    NumberDraw quantity;  // of each item
    bool sorted = false;  // by SKU; else in the order in which they were drawn
    bool atomic = true;   // all of them or none; else one reserve after the other
};
struct ReadStep {
    std::string sku;
};
// Asks what became of its latest reservation; nothing without one.
struct FindStep {};
// Lets everything it holds begin its time to live anew.
struct ExtendStep {};
struct ThinkStep {
    DurationDraw time;
};
struct ChooseStep {  // millionths that sum to 1,000,000; abandon is the rest
    std::uint32_t confirm = 0;
    std::uint32_t release = 0;
};
// Applies to every operation of the journey: at most `max` further attempts, full jitter.
struct RetryPolicy {
    bool on_timeout = false;      // deadline exceeded or connection lost: unknown outcome
    bool on_unavailable = false;  // refused, 503, 429
    bool on_conflict = false;     // 409 that names a retryable conflict
    std::int64_t max = 0;
    Duration attempt_timeout = std::chrono::seconds(1);
    Duration base = std::chrono::milliseconds(50);
    double factor = 2;
    bool jitter = true;
};
using Step = std::variant<ReserveStep, ReserveManyStep, ExtendStep, FindStep, ReadStep, ThinkStep,
                          ChooseStep, IngestStep>;
struct Journey {
    std::string name;
    Location location;
    std::vector<Step> steps;
    RetryPolicy retry;
};

enum class FaultKind : std::uint8_t {
    kill,
    stop,
    pause,
    restart,
    latency,
    partition,
    clock_skew,
    clock_drift,
    commit_unknown,
    terminate_backends,
    promote,
    pause_replay,
    lock_timeout,
    disk_full,
    disk_slow,
    broker,
    switch_queue,
};
enum class Direction : std::uint8_t { both, in, out };
enum class BrokerEffect : std::uint8_t { redeliver, drop_ack, leader_change, power_loss };

// One fault as an author or the swarm wrote it.  Targets are "gateway/0", "inventory/1",
// "database", "replica/0", "nats", "clients", a role ("inventory": the seed picks one), or "any"
// (any service instance; of a fault of databases what it is usually meant for).  A switch of the
// queue is an operator's doing, planned and told like a fault; its target is the new provider.
struct Fault {
    FaultKind kind = FaultKind::kill;
    std::string target = "any";
    std::optional<std::pair<std::string, std::string>> between;  // partition, latency: one link
    Direction direction = Direction::both;
    Duration delay{};            // latency: added to each message; disk_slow: to each flush
    Duration jitter{};           // latency, disk_slow: uniform extra
    Duration timeout{};          // lock_timeout: how long a wait may last
    bool split_brain = false;    // promote: the old primary goes on until it rejoins
    Duration offset{};           // clock_skew: added to the wall clock
    std::int64_t drift_ppm = 0;  // clock_drift: of both clocks of the target
    // commit_unknown, drop_ack: millionths of the commits, or messages, that lose their answer.
    std::uint32_t rate = 1'000'000;
    BrokerEffect effect = BrokerEffect::redeliver;            // broker
    Duration restart_after = std::chrono::milliseconds(500);  // kill, stop, promote, power_loss
    Duration deadline = std::chrono::seconds(10);             // switch_queue
};

struct AtPoint {
    std::string name;  // "inventory.reserve/commit:before"
    std::int64_t nth = 1;
};

struct TimelineEntry {
    Location location;
    std::string id;
    Duration at{};
    std::optional<AtPoint> at_point;  // instead of `at`; virtual time only
    Duration duration{};              // "for"
    std::string phase;                // either a phase mark ...
    std::optional<Fault> fault;       // ... or a fault
};

// Each seed switches each kind on with probability one half, with exponential gaps between faults.
struct SwarmKind {
    Location location;
    Fault fault;
    // Ranges that the seed draws from; unset ones take the value in `fault`.
    std::optional<std::pair<Duration, Duration>> delay;
    std::optional<std::pair<Duration, Duration>> offset;
    std::optional<std::pair<Duration, Duration>> restart_after;
    std::optional<std::pair<Duration, Duration>> timeout;
    std::optional<std::pair<std::int64_t, std::int64_t>> drift_ppm;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> rate;
    std::vector<Direction> directions;
    std::vector<BrokerEffect> effects;
    std::vector<std::string> to;  // switch_queue: providers
};
struct Swarm {
    Location location;
    Duration start{};
    Duration quiet_tail{};
    bool random_subset = true;
    Duration mean_gap = std::chrono::seconds(4);
    DurationDraw duration;
    std::int64_t max_concurrent = 3;
    std::vector<SwarmKind> kinds;
};

struct CheckSpec {
    Location location;
    std::string name;
    Duration grace{};                            // of expiry, where the check has one
    Duration settle = std::chrono::seconds(15);  // dual-write-divergence
    std::int64_t max = 0;                        // dual-write-divergence
    std::string guarantee = "exactly-once";      // delivery
    std::uint32_t max_duplicates = 0;            // delivery: millionths of the messages
};

enum class Aggregate : std::uint8_t { percentile, min, max, mean, count, rate, value };
enum class Comparison : std::uint8_t { less, less_equal, greater, greater_equal, equal };
// "reserve.latency: p(99) < 80ms".  `limit` is ns for latencies, a plain number otherwise.
struct Threshold {
    Location location;
    std::string metric;
    std::string expression;  // as written
    Aggregate aggregate = Aggregate::percentile;
    double percentile = 0;
    Comparison comparison = Comparison::less;
    double limit = 0;
    std::string during;  // "phase:x", "fault:id", "fault:*", "load:x", or empty
    bool allow_empty = false;
};

struct QueueOptions {
    std::vector<std::string> providers;  // of composite
    std::string strategy = "fail-fast";  // fail-fast | best-effort
};

struct SystemSpec {
    std::int64_t gateways = 1;
    std::int64_t inventories = 1;
    std::int64_t shards = 1;  // databases; inventory/i serves the one numbered i % shards + 1
    std::string reservation = "batched";  // strategy
    std::string database = "model";       // model | sqlite | postgres; live: sqlite, postgres
    std::string reads = "primary";        // primary | replica
    std::int64_t replicas = 0;            // standbys of the database
    bool synchronous_commit = true;       // false: commits are acknowledged before they are flushed
    std::int64_t synchronous_standbys = 0;  // how many have a commit before it is acknowledged
    DurationDraw replica_lag{.kind = DrawKind::exponential, .mean = std::chrono::milliseconds(2)};
    std::string mutant;  // test builds only
    Duration reservation_ttl = std::chrono::minutes(10);
    Duration sweep_interval = std::chrono::seconds(1);
    Duration request_timeout = std::chrono::seconds(5);
    Duration clock_skew_max{};  // each host's wall clock is off by up to this

    std::string events = "feed";  // feed | nats | kafka: where events go

    // The pipeline of messages; without a queue there is none.
    std::string queue;  // memory | sqlite | nats | kafka | composite
    QueueOptions queue_options;
    std::int64_t ingests = 1;
    std::int64_t processors = 1;
    std::int64_t queue_size = 1000;  // of embedded queues: more is refused
    std::int64_t workers = 4;        // of each processor
};

enum class Mode : std::uint8_t { sim, live, both };
enum class Schedule : std::uint8_t { random, fifo, pct };

struct Scenario {
    std::string file;
    std::string title;
    std::string description;
    std::vector<std::string> tags;
    Mode mode = Mode::sim;
    std::vector<std::uint64_t> seeds{1};
    Duration duration = std::chrono::seconds(10);
    Duration timeout = std::chrono::minutes(10);  // wall-clock guard
    std::vector<std::pair<std::string, std::string>>
        cell;  // this run's matrix values, in file order
    SystemSpec system;
    Stock stock;
    Popularity popularity;
    std::vector<Load> loads;
    std::vector<Journey> journeys;
    std::vector<TimelineEntry> timeline;
    std::optional<Swarm> swarm;
    std::vector<CheckSpec> checks;
    std::vector<Threshold> thresholds;
    std::vector<std::string> expected_failures;  // of `expect`, already matched against `cell`
    Location expect_location;
    Schedule schedule = Schedule::random;  // how virtual time picks among the ready
    std::int64_t schedule_depth = 3;       // preemptions of pct
    std::vector<std::string> report_formats;
};

// Names as the YAML spells them.
std::string_view to_string(FaultKind kind);
std::string_view to_string(Executor executor);
std::string_view to_string(Direction direction);
std::string_view to_string(BrokerEffect effect);
std::string_view to_string(Aggregate aggregate);
std::string_view to_string(Comparison comparison);

}  // namespace rushproof::simulator
