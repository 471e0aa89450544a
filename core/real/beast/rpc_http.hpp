// Rpc between processes over HTTP/2, all from one process to another on one connection:
//   POST /rpc/inventory.v1.Inventory/Reserve    body: the request message
//   200, body: encode_answer() of what the handler answered
// The context travels as x-deadline-ms, traceparent, idempotency-key and x-owner (the last two
// percent-encoded).
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/clock.hpp"
#include "core/ports/http.hpp"
#include "core/ports/rpc.hpp"
#include "core/real/beast/http2_client.hpp"
#include "core/runtime/rpc_router.hpp"

namespace rushproof {

// What an HttpServer asks to answer calls; the router must outlive it.
HttpHandler rpc_handler(const RpcRouter& router);

// Equal shards go to the same instance while it answers; when nothing could be sent to it, or it
// says "unavailable", the next one is asked.  Instances are listed per role, in a fixed order;
// those of a role's second group under "<role>/2", and so on.
class HttpRpc final : public Rpc {
public:
    HttpRpc(asio::any_io_executor executor, Clock& clock,
            const std::map<std::string, std::vector<HttpEndpoint>>& instances);
    Task<Result<std::string>> call(Context context, RpcTarget target, std::string request) override;

private:
    std::map<std::string, std::vector<std::unique_ptr<Http2Client>>, std::less<>> clients_;
};

}  // namespace rushproof
