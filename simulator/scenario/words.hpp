// How the YAML spells the values of each enumeration, and what each means.  The parser, the schema,
// the reference and to_string() all read these tables.
#pragma once
#include <span>
#include <string_view>

#include "simulator/scenario/scenario.hpp"

namespace rushproof::simulator {

template <class Enumeration>
struct Word {
    Enumeration value;
    std::string_view word;
    std::string_view sentence = {};
};

// What NumberDraw holds, as a file says it.
enum class NumberKind : std::uint8_t { constant, uniform, choice };

template <class Enumeration>
std::span<const Word<Enumeration>> words();

template <>
std::span<const Word<Mode>> words();
template <>
std::span<const Word<Schedule>> words();
template <>
std::span<const Word<DrawKind>> words();
template <>
std::span<const Word<NumberKind>> words();
template <>
std::span<const Word<PopularityKind>> words();
template <>
std::span<const Word<Executor>> words();
template <>
std::span<const Word<Arrivals>> words();
template <>
std::span<const Word<KeyPolicy>> words();
template <>
std::span<const Word<FaultKind>> words();
template <>
std::span<const Word<Direction>> words();
template <>
std::span<const Word<BrokerEffect>> words();
template <>
std::span<const Word<Aggregate>> words();
template <>
std::span<const Word<Comparison>> words();

template <class Enumeration>
std::string_view word_of(Enumeration value) {
    for (const auto& entry : words<Enumeration>()) {
        if (entry.value == value) { return entry.word; }
    }
    return "invalid";
}

}  // namespace rushproof::simulator
