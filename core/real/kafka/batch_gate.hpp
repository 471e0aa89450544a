// Group commit: what is published while a batch is under way is the next batch.
#pragma once
#include <cstddef>

#include "core/base/time.hpp"

namespace rushproof::kafka {

// Says when messages may be sent so that a broker, which takes each batch to its disk, has few of
// them.  When a batch ends, its publishers are likely to come again: the next batch waits for as
// many as there were, but no longer than a quarter of the time that the last one took (PostgreSQL
// advises half for commit_delay; here the publishers' own work can go on during a batch, and half
// cost more than it brought where the processor is quick).  Behind a batch that takes longer than
// `wait_max` the next one goes all the same: the broker of another partition may be down.  Has no
// clock of its own.
class BatchGate {
public:
    explicit BatchGate(Duration wait_max) : wait_max_(wait_max) {}

    // Whether the `waiting` messages, more than none, may go.
    bool open(std::size_t waiting, MonotonicTime now) const;
    // When time alone opens it.
    MonotonicTime opens_at() const { return under_way_ > 0 ? began_ + wait_max_ : next_at_; }
    void go(std::size_t messages, MonotonicTime now);
    // One message is not under way any more.
    void done(std::size_t waiting, MonotonicTime now);

private:
    Duration wait_max_;
    std::size_t under_way_ = 0;
    std::size_t sent_ = 0;      // since nothing was under way
    std::size_t expected_ = 0;  // in the next batch
    MonotonicTime began_{};
    MonotonicTime next_at_{};
};

}  // namespace rushproof::kafka
