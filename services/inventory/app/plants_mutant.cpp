#include "services/inventory/app/plants_mutant.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_set>

#include "core/base/hash.hpp"

namespace rushproof::inventory::plants {

namespace {

// The environment's place in memory differs between runs.
struct SaltedHash {
    std::size_t operator()(char letter) const {
        const auto salt = reinterpret_cast<std::uintptr_t>(std::getenv("PATH"));
        return combine64(salt, static_cast<std::uint64_t>(letter));
    }
};

// On purpose, as all of these: the determinism check must see that two runs differ.
void use_real_clock(Order& order) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    order.ttl += std::chrono::duration_cast<std::chrono::microseconds>(now) %
                 std::chrono::microseconds(1000);
}

// The identifier's tail, in the order in which a hash table gives its letters back.
void use_hash_order(Order& order) {
    std::string id = order.id.text();
    const std::unordered_multiset<char, SaltedHash> letters(id.end() - 12, id.end());
    id.replace(id.size() - 12, 12, std::string(letters.begin(), letters.end()));
    order.id = ReservationId(std::move(id));
}

void use_unwritten(Order& order) {
    constexpr std::size_t size = 4096;
    const std::unique_ptr<char[]> unwritten(new char[size]);
    order.ttl += std::chrono::microseconds(hash64({unwritten.get(), size}) % 1000);
}

}  // namespace

void disturb(Order& order) {
    if (order.mutant == Mutant::p01_real_clock) { use_real_clock(order); }
    if (order.mutant == Mutant::p02_salted_hash_order) { use_hash_order(order); }
    if (order.mutant == Mutant::p03_uninitialised_read) { use_unwritten(order); }
}

}  // namespace rushproof::inventory::plants
