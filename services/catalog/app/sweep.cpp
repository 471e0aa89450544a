// What nobody asks for: deletions that were left, and what is old.
#include <utility>

#include "services/catalog/app/application.hpp"
#include "services/catalog/store/calls.hpp"
#include "services/catalog/store/statements.hpp"

namespace rushproof::catalog {

namespace {

Call age_call(const Statement& statement, std::chrono::microseconds age) {
    return {statement, {std::int64_t{age.count()}}};
}

}  // namespace

Task<Result<std::size_t>> Application::settle_deletions(Context context) {
    const std::chrono::microseconds age = limits::deletion_patience;
    Call list(statements::list_deletions, {std::int64_t{age.count()}, limits::deletions_at_once});
    RP_CO_TRY(const Rows left, co_await read(context, std::move(list)));
    for (const Row& row : left.rows) {
        DeleteRequest again;
        again.id = ProductId(text(row, 0));
        const auto settled = co_await remove(context, std::move(again));
        // A refusal has undone it.
        if (!settled && settled.error().kind() != ErrorKind::permanent) {
            co_return failure(settled.error());
        }
    }
    co_return left.rows.size();
}

Task<Result<std::size_t>> Application::forget(Context context) {
    auto last = pipeline(age_call(statements::keys().forget_keys, limits::retention),
                         age_call(statements::forget_deletions, limits::retention),
                         age_call(statements::forget_feed, limits::retention));
    RP_CO_TRY(const auto transaction, co_await environment_.database.begin(std::move(context)));
    RP_CO_TRY(const auto answers, co_await transaction->commit(std::move(last)));
    std::int64_t forgotten = 0;
    for (const Rows& answer : answers) { forgotten += answer.affected; }
    co_return static_cast<std::size_t>(forgotten);
}

}  // namespace rushproof::catalog
