// Goal: no bytes crash or hang the readers of histories, or the judge of what they accept.
// Method: the bytes are read in the form that they begin with.  The checksums of a binary history
// are put right first, so that the search gets behind them.  What is accepted must be judged, and
// must stay the same when it is written and read again.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <string>
#include <string_view>

#include "core/base/assert.hpp"
#include "core/base/hash.hpp"
#include "simulator/checkers/checker.hpp"
#include "simulator/record/binary.hpp"
#include "simulator/record/history_binary.hpp"
#include "simulator/record/history_json.hpp"

namespace {

using namespace rushproof;
using namespace rushproof::simulator;

void put(std::string& bytes, std::size_t at, std::uint64_t value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

// As in history_binary.cpp: the index begins where the trailer of 24 bytes says.
std::string with_right_checksums(std::string bytes) {
    constexpr std::size_t trailer_bytes = 24;
    constexpr std::size_t entry_bytes = 40;
    if (bytes.size() < trailer_bytes) return bytes;
    const std::size_t trailer = bytes.size() - trailer_bytes;
    BinaryReader reader(std::string_view(bytes).substr(trailer));
    const auto begin = reader.number<std::uint64_t>();
    if (begin > trailer) return bytes;
    for (std::size_t at = begin; trailer - at >= entry_bytes; at += entry_bytes) {
        BinaryReader entry(std::string_view(bytes).substr(at + 8));
        const auto first = entry.number<std::uint64_t>();
        const auto size = entry.number<std::uint64_t>();
        if (first > bytes.size() || size > bytes.size() - first) continue;
        put(bytes, at + 24, hash64(std::string_view(bytes).substr(first, size)));
    }
    put(bytes, trailer + 8, hash64(std::string_view(bytes).substr(begin, trailer - begin)));
    return bytes;
}

std::string as_binary(const History& history) {
    std::ostringstream output;
    write_history_binary(history, output);
    return output.str();
}

std::string as_json(const History& history) {
    std::ostringstream output;
    write_history_json(history, output);
    return output.str();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    const bool binary = is_history_binary(bytes);
    const auto history =
        binary ? read_history_binary(with_right_checksums(bytes)) : parse_history_json(bytes);
    if (!history) {
        RP_ASSERT(history.error().code() == "bad-history");
        RP_ASSERT(binary || history.error().message().starts_with("line "));
        return 0;
    }
    const auto judgement = judge(*history, {}, {.steps_max = 100'000});
    RP_ASSERT(judgement.has_value());
    for (const CheckResult& result : judgement->results) {
        RP_ASSERT(!result.sentence.empty());
        RP_ASSERT(describe_witness(*history, result).size() == result.witness.size());
    }
    const auto again = read_history_binary(as_binary(*history));
    RP_ASSERT(again.has_value());
    RP_ASSERT(as_json(*again) == as_json(*history));
    if (!binary) {
        const auto from_json = parse_history_json(as_json(*history));
        RP_ASSERT(from_json.has_value());
        RP_ASSERT(as_json(*from_json) == as_json(*history));
    }
    return 0;
}
