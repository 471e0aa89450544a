// Who waits for what becomes of a message.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/environment.hpp"
#include "core/runtime/resumption.hpp"
#include "core/runtime/scope.hpp"

namespace rushproof::processor {

class Waiters {
public:
    explicit Waiters(Environment& environment);

    // A place in the line of those who wait for `id`; from then on nothing is missed.  0: too many
    // wait.
    std::uint64_t enlist(const std::string& id);
    // Returns when the id was told since enlist(), or at `at`; gives the place up.
    Task<void> wait(std::uint64_t place, MonotonicTime at);
    void leave(std::uint64_t place);

    void tell(const std::string& id);
    bool empty() const { return places_.empty(); }
    // Ends all waits, also those to come.
    Task<void> close();

private:
    struct Place {
        std::string id;
        bool told = false;
        std::optional<Resumption<bool>> resumption;
    };
    void wake(std::uint64_t place);
    Task<void> wake_at(std::uint64_t place, MonotonicTime at);

    Environment& environment_;
    Scope scope_;
    std::map<std::uint64_t, Place> places_;
    std::multimap<std::string, std::uint64_t> of_ids_;
    std::uint64_t last_ = 0;
    bool closed_ = false;
};

}  // namespace rushproof::processor
