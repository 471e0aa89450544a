#include "simulator/models/database/direct_database.hpp"

#include <utility>

namespace rushproof::simulator {

namespace {

class DirectTransaction final : public Transaction {
public:
    explicit DirectTransaction(std::unique_ptr<ModelSession> session)
        : session_(std::move(session)) {}

    Task<Result<std::vector<Rows>>> execute(std::vector<Call> calls) override {
        return session_->execute(std::move(calls));
    }
    Task<Result<std::vector<Rows>>> commit(std::vector<Call> last) override {
        return session_->commit(std::move(last));
    }

private:
    std::unique_ptr<ModelSession> session_;
};

}  // namespace

Task<Result<std::unique_ptr<Transaction>>> DirectDatabase::begin(Context,
                                                                 TransactionOptions options) {
    auto session = model_.open_session();
    RP_CO_CHECK(session->begin(options));
    std::unique_ptr<Transaction> transaction =
        std::make_unique<DirectTransaction>(std::move(session));
    co_return transaction;
}

}  // namespace rushproof::simulator
