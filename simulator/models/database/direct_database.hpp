// The Database port straight on a ModelDatabase: no network, no pool, no deadline.  For tests of
// statements and strategies; a simulated run puts network and pool in between.
#pragma once
#include "core/ports/database.hpp"
#include "simulator/models/database/database.hpp"

namespace rushproof::simulator {

class DirectDatabase final : public Database {
public:
    // `model` must outlive every transaction begun here.
    explicit DirectDatabase(ModelDatabase& model) : model_(model) {}
    Task<Result<std::unique_ptr<Transaction>>> begin(Context context,
                                                     TransactionOptions options = {}) override;

private:
    ModelDatabase& model_;
};

}  // namespace rushproof::simulator
