#include "core/real/postgres/postgres_log.hpp"

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "core/real/postgres/log_slot.hpp"

namespace rushproof::postgres {

namespace {

constexpr auto look_again_after = std::chrono::milliseconds(5);

}  // namespace

Task<Result<std::vector<LoggedRow>>> PostgresLog::next(Context context) {
    if (heard_.rows.empty()) { RP_CO_TRY(heard_, co_await connection_->next(context.deadline)); }
    while (!heard_.rows.empty()) {
        // Whoever heard at its deadline has time to look.
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        Context looking(std::max(context.deadline, MonotonicTime(now + std::chrono::seconds(1))));
        RP_CO_TRY(const bool visible,
                  co_await are_visible(database_, std::move(looking), heard_.transactions));
        if (visible) {
            LoggedBatch given = std::exchange(heard_, LoggedBatch());
            co_return std::move(given.rows);
        }
        if (now >= context.deadline.time_since_epoch()) { break; }
        pause_.expires_after(look_again_after);
        co_await pause_.async_wait(asio::use_awaitable);
    }
    co_return std::vector<LoggedRow>();
}

}  // namespace rushproof::postgres
