#include "core/runtime/transactions.hpp"

namespace rushproof {

Task<Result<std::vector<Rows>>> read_only(Database& database, Context context,
                                          std::vector<Call> calls, TransactionOptions options) {
    options.access = Access::read_only;
    RP_CO_TRY(const auto transaction, co_await database.begin(std::move(context), options));
    auto answers = co_await transaction->commit(std::move(calls));
    if (answers) { co_return answers; }
    const Error& error = answers.error();
    if (error.kind() != ErrorKind::unknown_outcome) { co_return failure(error); }
    co_return failure(ErrorKind::retryable, error.code(), error.message());
}

}  // namespace rushproof
