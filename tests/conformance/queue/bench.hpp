// What the suite needs of a provider: a fresh queue, and the world that it stands in.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "core/ports/clock.hpp"
#include "core/ports/message_queue.hpp"
#include "core/ports/spawner.hpp"

namespace rushproof::conformance {

// What the port leaves open, and how long things may take.
struct QueueTraits {
    // Until something comes that must come, a dead member's share included.
    Duration patience = std::chrono::seconds(20);
    // How long the suite looks for something that must not come.
    Duration quiet = std::chrono::milliseconds(300);
    // A message whose body alone has more bytes is "too-large"; 0: the suite does not try.
    std::size_t message_bytes = 0;
    // Acknowledged before an earlier message is: it may come again when its consumer goes.
    bool acknowledges_in_order_only = false;
    // What a member that goes had taken may come after later messages of its key.
    bool may_overtake_who_goes = false;
    // How often each message is delivered: by each of several queues behind one.
    int copies = 1;
    // Rounds of random work, each on what the last one left empty.
    int rounds = 1;
};

class QueueBench {
public:
    virtual ~QueueBench() = default;

    virtual QueueTraits traits() const = 0;
    virtual Clock& clock() = 0;
    virtual Spawner& spawner() = 0;
    // To its end; what it throws, it throws.
    virtual void run(Task<void> task) = 0;

    // The queue, as one more process sees it; or the same again where there can be only one.  Lives
    // until restart().
    virtual Task<Result<std::shared_ptr<MessageQueue>>> open() = 0;

    // Outside of run(), when nothing of open() is left: kills what holds the queue, and brings it
    // back.  False: it cannot.
    virtual bool restart() { return false; }
};

struct QueueProvider {
    std::string name;  // letters and digits
    // A queue of its own for every case; null: skipped, and it has printed why.
    std::function<std::unique_ptr<QueueBench>()> make;

    friend void PrintTo(const QueueProvider& provider, std::ostream* out) { *out << provider.name; }
};

}  // namespace rushproof::conformance
