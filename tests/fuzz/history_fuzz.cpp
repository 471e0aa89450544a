// Goal: no bytes crash or hang the reading of histories, of either form.
// Method: the bytes are read; what is accepted must survive being written and read again, and being
// judged; what is refused must say why.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>

#include "core/base/assert.hpp"
#include "simulator/checkers/checker.hpp"
#include "simulator/record/history_binary.hpp"
#include "simulator/record/history_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace simulator = rushproof::simulator;
    std::istringstream input(std::string(reinterpret_cast<const char*>(data), size));
    const auto history = simulator::read_history(input);
    if (!history) {
        RP_ASSERT(!history.error().message().empty());
        return 0;
    }
    std::ostringstream binary;
    simulator::write_history_binary(*history, binary);
    const auto again = simulator::read_history_binary(binary.str());
    RP_ASSERT(again && again->events.size() == history->events.size());

    simulator::CheckOptions options;
    options.expansions_max = 20'000;
    RP_ASSERT(simulator::judge(*history, {}, options).has_value());
    return 0;
}
