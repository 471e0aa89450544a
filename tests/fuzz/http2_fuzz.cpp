// Goal: no sequence of bytes from the network crashes or hangs a server or a client that speaks
// HTTP/2, and it does not matter how the network cut it.
// Method: the first byte says how; the rest is read once whole and once in pieces, and every
// request is answered.  Both readings find the same requests.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.hpp"
#include "core/real/beast/http2_session.hpp"

namespace {

using rushproof::Http2ClientSession;
using rushproof::Http2ServerSession;
using rushproof::HttpRequest;
using rushproof::HttpResponse;
using rushproof::ReceivedRequest;

std::vector<std::string> read_in_pieces(std::string_view bytes, std::size_t piece) {
    std::vector<std::string> requests;
    std::vector<Http2ServerSession::Stream> streams;
    Http2ServerSession session(rushproof::HttpLimits{1024, 4096}, 10,
                               [&](Http2ServerSession::Stream stream, ReceivedRequest received) {
                                   RP_ASSERT(received.request.body.size() <= 4096);
                                   requests.push_back(received.request.method + ' ' +
                                                      received.request.target + '\n' +
                                                      received.request.body);
                                   streams.push_back(stream);
                               });
    std::string out;
    bool understood = session.receive(rushproof::http2_preface);
    while (understood && !bytes.empty() && !session.over()) {
        understood = session.receive(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        // Some are answered at once, others late.
        if (!streams.empty() && streams.back() % 4 == 1) {
            session.answer(streams.back(), HttpResponse(200, std::string(100'000, 'a')));
        }
        out.clear();
        session.output(out);
    }
    session.refuse_slow();
    session.refuse_slow();
    for (const auto stream : streams) { session.answer(stream, HttpResponse(200, "answer")); }
    session.begin_drain();
    session.output(out);
    session.end();
    session.output(out);
    return requests;
}

// The same bytes as a server's: every request is answered once, whatever they are.
void read_as_client(std::string_view bytes, std::size_t piece) {
    Http2ClientSession session(rushproof::HttpLimits{1024, 4096});
    std::size_t answers = 0;
    for (int i = 0; i < 3; ++i) {
        session.ask("a", HttpRequest("POST", "/rpc/x", "body"), {},
                    [&](rushproof::Result<HttpResponse>) { ++answers; });
    }
    std::string out;
    session.output(out);
    bool understood = true;
    while (understood && !bytes.empty() && !session.over()) {
        understood = session.receive(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        out.clear();
        session.output(out);
    }
    session.lose();
    RP_ASSERT(answers == 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) { return 0; }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = read_in_pieces(bytes, bytes.size());
    const auto cut = read_in_pieces(bytes, data[0] % 64 + 1u);
    read_as_client(bytes, data[0] % 64 + 1u);
    // What is read at once may be more than is read before the end was said.
    const std::size_t both = std::min(whole.size(), cut.size());
    for (std::size_t i = 0; i < both; ++i) { RP_ASSERT(whole[i] == cut[i]); }
    return 0;
}
