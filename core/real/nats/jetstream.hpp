// JetStream's interface: JSON requests to subjects below $JS.API.
#pragma once
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/ports/task.hpp"
#include "core/real/nats/client.hpp"

namespace rushproof::nats {

// Errors of all of these: what Client::request says; retryable "unavailable" while JetStream is not
// ready; permanent "refused" with the server's reason; permanent "not-found".
Task<Result<boost::json::object>> call(Client& client, MonotonicTime deadline, std::string subject,
                                       boost::json::object request);

// The answer to a message: `stream` has it.  Unknown outcome also when somebody else answered.
Result<void> read_acceptance(std::string_view body, const std::string& stream);

struct StreamLimits {
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
    Duration repeats{};  // how long ids are remembered
};

// A stream that keeps what it took until it is purged, refuses what does not fit, and takes
// `subjects`; made, or changed to be so.  Error: permanent "unsuitable-stream".
Task<Result<void>> ensure_stream(Client& client, MonotonicTime deadline, std::string name,
                                 std::vector<std::string> subjects, StreamLimits limits);
// One that keeps the last message of each subject.
Task<Result<void>> ensure_table(Client& client, MonotonicTime deadline, std::string name,
                                std::string subjects);

struct StreamState {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::int64_t messages = 0;
    std::vector<std::string> subjects;  // that it has messages of
};
Task<Result<StreamState>> stream_state(Client& client, MonotonicTime deadline, std::string name);

struct DurableState {
    std::string subject;              // that it filters by
    std::int64_t pending = 0;         // never delivered
    std::int64_t unacknowledged = 0;  // delivered
    std::uint64_t floor = 0;          // up to here everything of its subject is acknowledged
};
Task<Result<std::map<std::string, DurableState>>> durables(Client& client, MonotonicTime deadline,
                                                           std::string stream);

// A durable pull consumer of one subject, made, or changed to give `answer_within`.
Task<Result<DurableState>> ensure_durable(Client& client, MonotonicTime deadline,
                                          std::string stream, std::string name, std::string subject,
                                          Duration answer_within, std::int64_t held_max);

// Everything before `first` goes.
Task<Result<void>> purge(Client& client, MonotonicTime deadline, std::string stream,
                         std::uint64_t first);

struct Entry {
    std::uint64_t sequence = 0;  // 0: there is none
    std::string body;
};
Task<Result<Entry>> read_entry(Client& client, MonotonicTime deadline, std::string table,
                               std::string subject);
// Unless somebody else wrote after `seen`: then false.
Task<Result<bool>> write_entry(Client& client, MonotonicTime deadline, std::string table,
                               std::string subject, std::uint64_t seen, std::string body);

}  // namespace rushproof::nats
