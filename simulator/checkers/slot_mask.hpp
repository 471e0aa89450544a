// A set of slots, 64 to a word.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace rushproof::simulator {

template <std::size_t words>
class SlotMask {
public:
    static constexpr std::size_t capacity = 64 * words;

    bool test(std::size_t slot) const { return (bits_[slot / 64] >> (slot % 64) & 1) != 0; }
    void set(std::size_t slot) { bits_[slot / 64] |= std::uint64_t{1} << (slot % 64); }
    void reset(std::size_t slot) { bits_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64)); }

    bool empty() const {
        for (const std::uint64_t word : bits_) {
            if (word != 0) return false;
        }
        return true;
    }

    std::size_t count() const {
        std::size_t total = 0;
        for (const std::uint64_t word : bits_)
            total += static_cast<std::size_t>(std::popcount(word));
        return total;
    }

    // In a, but not in b.
    friend SlotMask without(const SlotMask& a, const SlotMask& b) {
        SlotMask result;
        for (std::size_t i = 0; i < words; ++i) result.bits_[i] = a.bits_[i] & ~b.bits_[i];
        return result;
    }
    friend SlotMask both(const SlotMask& a, const SlotMask& b) {
        SlotMask result;
        for (std::size_t i = 0; i < words; ++i) result.bits_[i] = a.bits_[i] & b.bits_[i];
        return result;
    }

    template <class Visit>
    void for_each(Visit visit) const {
        for (std::size_t i = 0; i < words; ++i) {
            for (std::uint64_t rest = bits_[i]; rest != 0; rest &= rest - 1) {
                visit(64 * i + static_cast<std::size_t>(std::countr_zero(rest)));
            }
        }
    }

    // The lowest slot that is not in the set; `capacity` when all are.
    std::size_t first_free() const {
        for (std::size_t i = 0; i < words; ++i) {
            if (~bits_[i] != 0) {
                return 64 * i + static_cast<std::size_t>(std::countr_one(bits_[i]));
            }
        }
        return capacity;
    }

private:
    std::array<std::uint64_t, words> bits_{};
};

}  // namespace rushproof::simulator
