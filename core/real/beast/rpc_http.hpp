// Rpc between processes over HTTP/2, all from one process to another on one connection; over a pool
// of HTTP/1.1 where the other side, or a proxy before it, speaks nothing else:
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
#include "core/real/beast/http_endpoint.hpp"
#include "core/runtime/rpc_router.hpp"

namespace rushproof {

// What an HttpServer asks to answer calls; the router must outlive it.
HttpHandler rpc_handler(const RpcRouter& router);

// Where the paths of calls begin.
inline constexpr std::string_view rpc_path = "/rpc/";

// Equal shards go to the same instance while it answers; when nothing could be sent to it, or it
// says "unavailable", the next one is asked.  Instances are listed per role, in a fixed order;
// those of a role's second group under "<role>/2", and so on.
class HttpRpc final : public Rpc {
public:
    HttpRpc(asio::any_io_executor executor, Clock& clock,
            const std::map<std::string, std::vector<HttpEndpoint>>& endpoints);
    ~HttpRpc() override;
    Task<Result<std::string>> call(Context context, RpcTarget target, std::string request) override;

private:
    struct Instance;
    Task<Result<HttpResponse>> send(Instance& to, const Context& context,
                                    const HttpRequest& message);

    Clock& clock_;
    std::map<std::string, std::vector<std::unique_ptr<Instance>>, std::less<>> instances_;
};

}  // namespace rushproof
