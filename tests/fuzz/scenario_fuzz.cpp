// Goal: no text crashes or hangs the reading of scenario files.
// Method: the text is parsed; what is accepted must also be plannable and drawable, what is refused
// must say why and where.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/assert.hpp"
#include "simulator/scenario/draw.hpp"
#include "simulator/scenario/limits.hpp"
#include "simulator/scenario/parser.hpp"

namespace {

using rushproof::simulator::draw_scenario;
using rushproof::simulator::parse_scenario;

// A matrix only repeats the work.
constexpr std::size_t cells_drawn = 2;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    auto parsed = parse_scenario(text, {"fuzz.yaml", {}});
    if (!parsed) {
        RP_ASSERT(!parsed.error().empty());
        RP_ASSERT(parsed.error().size() <= rushproof::simulator::limits::diagnostics_max);
        for (const auto& error : parsed.error()) {
            RP_ASSERT(error.location.line > 0 && error.location.column > 0);
            RP_ASSERT(!error.message.empty());
        }
        return 0;
    }
    RP_ASSERT(!parsed->scenarios.empty());
    if (parsed->scenarios.size() > cells_drawn) { parsed->scenarios.resize(cells_drawn); }
    RP_ASSERT(!draw_scenario(*parsed).empty());
    return 0;
}
