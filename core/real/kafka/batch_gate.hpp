// Group commit: what is published while a batch is under way is the next batch.
#pragma once
#include <cstddef>

#include "core/base/time.hpp"

namespace rushproof::kafka {

// Says when messages may be sent so that a broker, which takes each batch to its disk, has few of
// them: one at a time.  Behind a batch that takes longer than `wait_max` the next one goes all the
// same: the broker of another partition may be down.  Has no clock of its own.
class BatchGate {
public:
    explicit BatchGate(Duration wait_max) : wait_max_(wait_max) {}

    bool open(MonotonicTime now) const { return under_way_ == 0 || now >= opens_at(); }
    // When time alone opens it.
    MonotonicTime opens_at() const { return began_ + wait_max_; }
    void go(std::size_t messages, MonotonicTime now) {
        began_ = now;
        under_way_ += messages;
    }
    // One message is not under way any more.
    void done() { --under_way_; }

private:
    Duration wait_max_;
    std::size_t under_way_ = 0;
    MonotonicTime began_{};
};

}  // namespace rushproof::kafka
