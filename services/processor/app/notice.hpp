// Coroutines that wait until there is something to do.  No timer, and no cancelling: whoever stops
// them tells all.
#pragma once
#include <deque>
#include <utility>

#include "core/runtime/resumption.hpp"

namespace rushproof::processor {

class Notice {
public:
    Task<void> wait() {
        auto enlist = [this](Resumption<bool> resumption) {
            waiting_.push_back(std::move(resumption));
        };
        co_await suspend<bool>(std::move(enlist));
    }
    void tell_one() {
        if (waiting_.empty()) { return; }
        Resumption<bool> first = std::move(waiting_.front());
        waiting_.pop_front();
        std::move(first)(true);
    }
    void tell_all() {
        while (!waiting_.empty()) { tell_one(); }
    }

private:
    std::deque<Resumption<bool>> waiting_;
};

}  // namespace rushproof::processor
