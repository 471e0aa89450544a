// The history of a run: every operation as its client saw it, every fault, and the audited ledger.
// docs/history.md describes the JSON lines form.
#pragma once
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rushproof::simulator {

// Texts (SKUs, reservations, messages, process names) are kept once and referred to by number.
// Numbers are given in order of first appearance, so they are the same in every run.
using TextId = std::uint32_t;
inline constexpr TextId no_text = std::numeric_limits<TextId>::max();

class TextTable {
public:
    TextId intern(std::string_view text);
    std::optional<TextId> find(std::string_view text) const;
    // The reference lives as long as the table.
    const std::string& text(TextId id) const { return texts_[id]; }
    std::size_t size() const { return texts_.size(); }

private:
    std::size_t slot(std::string_view text) const;
    void grow();

    std::deque<std::string> texts_;
    std::vector<TextId> slots_;  // open addressing; a power of two, at most half full
};

enum class EventType : std::uint8_t { invoke, ok, fail, info };
enum class Function : std::uint8_t {
    reserve,
    confirm,
    release,
    expire,
    read,
    restock,
    basket,
    enqueue,
    process,
    extend,
    find,
};
// Why an operation failed.  Only `insufficient` is an observation of the stock; `other` had no
// effect and says nothing.
enum class Failure : std::uint8_t { none, insufficient, other };

// What a find answers: the state of the reservation, or that there is none.
enum class Found : std::uint8_t { absent, held, confirmed, released, expired };

std::string_view to_string(EventType type);
std::string_view to_string(Function function);
std::string_view to_string(Found found);
std::optional<EventType> parse_event_type(std::string_view word);
std::optional<Function> parse_function(std::string_view word);
std::optional<Found> parse_found(std::string_view word);

// 40 bytes.  Events stand in file order, which is time order; equal times are concurrent.
// A completion repeats the key, subject, amount and basket of its invocation; the key of a refused
// basket is the SKU that refused.  An `ok` of `expire` or `process` may stand without an
// invocation: then the effect happened at its time.
struct Event {
    std::int64_t time = 0;    // ns since the start of the run
    std::int64_t amount = 0;  // quantity; of an ok read what was available, of an ok find its Found
    TextId process = no_text;  // the text of its number, or its name
    TextId key = no_text;      // SKU, or ordering key of a queue
    TextId subject = no_text;  // reservation or message
    std::uint32_t basket = 0;  // 1 + index into History::baskets; 0 if none
    EventType type = EventType::invoke;
    Function function = Function::reserve;
    Failure failure = Failure::none;
};

struct BasketLine {
    TextId key = no_text;
    std::int64_t quantity = 0;

    friend bool operator==(const BasketLine&, const BasketLine&) = default;
};

// A fault as planned and as it happened ("process":"nemesis").
struct FaultEvent {
    std::int64_t time = 0;
    std::string id;    // "kill-1"
    std::string kind;  // "kill"
    std::string target;
    bool begins = true;
    std::int64_t planned = 0;
    std::string evidence;  // what shows that it bit; empty when nothing does
    std::string error;     // observed error texts and the like, for people
};

// One row of the audited ledger ("process":"audit","f":"ledger").  `committed_before` bounds the
// commit from above; in virtual time it is exact.
struct LedgerEntry {
    TextId key = no_text;
    TextId reservation = no_text;  // the client's key for it; no_text for stock changes
    std::string kind;              // stock | reserve | confirm | release | expire
    std::int64_t quantity = 0;     // for stock: the change of on_hand
    std::int64_t number = 0;       // order within the ledger
    std::int64_t at = 0;           // ns since the start of the run: when its transaction began
    std::int64_t committed_before = 0;
};

// The stock of one SKU as the audit found it.
struct FinalStock {
    TextId key = no_text;
    std::int64_t on_hand = 0;
    std::int64_t held = 0;
    std::int64_t sold = 0;
};

// A switch of the queue by an operator ("process":"operator"): `ok`, or `fail` when it was rolled
// back, or `info` when nobody knows.
struct QueueSwitch {
    std::string id;    // "switch-queue-1"
    std::string from;  // provider; empty when it is not known
    std::string to;
    EventType outcome = EventType::info;
    std::int64_t epoch = 0;         // of the route that it left; 0 when it is not known
    std::int64_t began = 0;         // ns since the start of the run: when it was asked for ...
    std::int64_t ended = 0;         // ... and when its operator knew the outcome, or gave up
    std::int64_t carried_over = 0;  // messages that were still in the old queue
    std::string error;
};

// What became of a message that one part of a composite queue lacks.
enum class DivergenceState : std::uint8_t {
    open,        // the system knows of it
    repaired,    // and has mended it
    unrecorded,  // somebody else found it
};

struct Divergence {
    TextId message = no_text;
    std::string on;       // provider
    std::string missing;  // provider
    DivergenceState state = DivergenceState::open;
    std::int64_t at = 0;  // ns since the start of the run: when it was seen
};

std::string_view to_string(DivergenceState state);
std::optional<DivergenceState> parse_divergence_state(std::string_view word);

struct History {
    TextTable texts;
    std::vector<std::pair<TextId, std::int64_t>> initial_stock;
    std::string scenario;
    std::uint64_t seed = 0;
    std::string world;                 // "sim", "live", or what the file says
    std::int64_t reservation_ttl = 0;  // ns; 0 when unknown: expiry times are not judged
    std::int64_t clock_bound = 0;      // ns by which ledger times may be off

    std::vector<Event> events;
    std::vector<std::vector<BasketLine>> baskets;
    std::vector<FaultEvent> faults;
    std::vector<LedgerEntry> ledger;
    std::vector<FinalStock> final_stock;
    bool audited = false;  // ledger and final_stock are complete

    std::vector<QueueSwitch> switches;  // in order of their ends
    std::vector<Divergence> divergences;
    bool compared = false;  // the parts of a composite queue were: divergences are complete
};

// In order of time; of equal times, in the order of the history.
std::vector<const FaultEvent*> faults_by_time(const History& history);

}  // namespace rushproof::simulator
