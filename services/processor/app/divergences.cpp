#include "services/processor/app/divergences.hpp"

#include <utility>

#include "core/runtime/transactions.hpp"
#include "services/processor/domain/work.hpp"
#include "services/processor/store/statements.hpp"

namespace rushproof::processor {

namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) { text += (text.empty() ? "" : ",") + word; }
    return text;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        words.emplace_back(text.substr(0, comma));
        text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
    }
    return words;
}

RecordedDivergence divergence_of(const Row& row) {
    RecordedDivergence divergence;
    divergence.id = text(row, 0);
    divergence.lacking = split(text(row, 1));
    divergence.reason = text(row, 2);
    divergence.recorded_at = wall_time(row, 3);
    divergence.message = text(row, 4);
    return divergence;
}

}  // namespace

Task<Result<void>> Divergences::record(Context context, Divergence divergence) {
    auto last = pipeline(
        Call(statements::record_divergence, Row{divergence.message.id, joined(divergence.lacking),
                                                divergence.reason, pack(divergence.message)}));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_CHECK(co_await transaction->commit(std::move(last)));
    co_return Result<void>();
}

Task<Result<std::vector<RecordedDivergence>>> Divergences::list(Context context, std::string after,
                                                                std::int64_t limit) {
    auto calls = pipeline(Call(statements::list_divergences, Row{std::move(after), limit}));
    RP_CO_TRY(const auto found,
              co_await read_only(environment_.database, std::move(context), std::move(calls)));
    std::vector<RecordedDivergence> divergences;
    for (const Row& row : found[0].rows) { divergences.push_back(divergence_of(row)); }
    co_return divergences;
}

Task<Result<RepairCounts>> Divergences::repair(Context context, CompositeQueue& queue,
                                               std::int64_t limit) {
    RP_CO_TRY(auto recorded, co_await list(context, repaired_up_to_, limit));
    if (recorded.empty() && !repaired_up_to_.empty()) {
        RP_CO_TRY(recorded, co_await list(context, std::string(), limit));
    }
    const bool all = static_cast<std::int64_t>(recorded.size()) < limit;
    repaired_up_to_ = all ? std::string() : recorded.back().id;
    RepairCounts counts;
    std::vector<std::string> whole;
    for (const RecordedDivergence& divergence : recorded) {
        const auto published = co_await publish(context, queue, divergence);
        if (published) {
            whole.push_back(divergence.id);
        } else {
            ++counts.failed;
        }
    }
    counts.repaired = static_cast<std::int64_t>(whole.size());
    if (whole.empty()) { co_return counts; }
    auto last = pipeline(Call(statements::remove_divergences, Row{std::move(whole)}));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_CHECK(co_await transaction->commit(std::move(last)));
    co_return counts;
}

Task<Result<void>> Divergences::publish(Context context, CompositeQueue& queue,
                                        const RecordedDivergence& divergence) {
    const auto message = unpack(divergence.message);
    if (!message) { co_return failure(ErrorKind::permanent, "unreadable", divergence.id); }
    for (const std::string& provider : divergence.lacking) {
        RP_CO_CHECK(co_await queue.publish_to(context, provider, *message));
    }
    co_return Result<void>();
}

}  // namespace rushproof::processor
