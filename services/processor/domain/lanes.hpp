// Work that waits, in lanes: what has one key is in one lane and keeps its order, because a lane is
// worked on by one worker at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "services/processor/domain/work.hpp"

namespace rushproof::processor {

struct Batch {
    std::vector<Work> work;
    std::vector<std::size_t> lanes;  // that are this worker's until it gives them back
    bool empty() const { return work.empty(); }
};

class Lanes {
public:
    explicit Lanes(std::size_t count) : lanes_(count) {}

    void add(Work work);
    // What comes first in lanes that nobody works on: messages that need calls apart from those
    // that do not, and one alone that may have killed a process.  `workers` share the calls.
    Batch take(std::size_t workers);
    void give_back(const std::vector<std::size_t>& lanes);

    // In lanes that nobody works on.
    bool has_work() const { return !ready_.empty(); }
    // Would take() give a transaction that has room for more?
    bool can_grow() const;
    // In all of them, without what was taken.
    std::size_t waiting() const { return waiting_; }

private:
    struct Lane {
        std::deque<Work> work;
        bool taken = false;
        bool ready = false;
    };
    void offer(std::size_t number);
    void take_from(std::size_t number, std::size_t limit, Batch& batch);

    std::vector<Lane> lanes_;
    std::deque<std::size_t> ready_;
    std::size_t waiting_ = 0;
};

}  // namespace rushproof::processor
