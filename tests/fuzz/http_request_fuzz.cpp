// Goal: no sequence of bytes from the network crashes or hangs the reading of requests, and it does
// not matter how the network cut it.
// Method: the first byte says how; the rest is read once whole and once in pieces.  Requests that
// both readings found must be equal, and when neither failed both found the same number.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/base/assert.hpp"
#include "core/real/beast/http_reader.hpp"

namespace {

using rushproof::HttpRequest;
using rushproof::HttpRequestReader;
using rushproof::ReadState;

struct Outcome {
    std::vector<HttpRequest> requests;
    bool failed = false;
};

Outcome read_in_pieces(std::string_view bytes, std::size_t piece) {
    HttpRequestReader reader(rushproof::HttpLimits{1024, 4096});
    Outcome outcome;
    while (!bytes.empty() && !outcome.failed) {
        const auto room = reader.prepare();
        const std::size_t count = std::min({piece, room.size(), bytes.size()});
        RP_ASSERT(count > 0);
        std::memcpy(room.data(), bytes.data(), count);
        bytes.remove_prefix(count);
        reader.commit(count);
        ReadState state = reader.advance();
        for (; state == ReadState::ready; state = reader.advance()) {
            outcome.requests.push_back(reader.take().request);
        }
        outcome.failed = state == ReadState::failed;
        RP_ASSERT(!outcome.failed || reader.error_status() >= 400);
    }
    return outcome;
}

bool same(const HttpRequest& a, const HttpRequest& b) {
    return a.method == b.method && a.target == b.target && a.body == b.body && a.fields == b.fields;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) { return 0; }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Outcome whole = read_in_pieces(bytes, bytes.size());
    const Outcome cut = read_in_pieces(bytes, data[0] % 64 + 1u);
    const std::size_t both = std::min(whole.requests.size(), cut.requests.size());
    for (std::size_t i = 0; i < both; ++i) { RP_ASSERT(same(whole.requests[i], cut.requests[i])); }
    if (!whole.failed && !cut.failed) { RP_ASSERT(whole.requests.size() == cut.requests.size()); }
    return 0;
}
