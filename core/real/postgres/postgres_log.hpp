// The InsertLog port: what LogConnection hears, as soon as everybody sees it.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "core/ports/database.hpp"
#include "core/real/postgres/log_connection.hpp"

namespace rushproof::postgres {

class PostgresLog final : public InsertLog {
public:
    // `database` outlives it.
    PostgresLog(const asio::any_io_executor& executor, Database& database,
                std::shared_ptr<LogConnection> connection)
        : pause_(executor), database_(database), connection_(std::move(connection)) {}

    Task<Result<std::vector<LoggedRow>>> next(Context context) override;
    Task<Result<void>> confirm(Context context) override {
        return connection_->confirm(context.deadline);
    }

private:
    asio::steady_timer pause_;
    Database& database_;
    std::shared_ptr<LogConnection> connection_;
    LoggedBatch heard_;  // and not given, as not everybody sees it
};

}  // namespace rushproof::postgres
