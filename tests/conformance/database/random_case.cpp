#include "tests/conformance/database/random_case.hpp"

#include <span>

#include "core/base/keyed_random.hpp"

namespace rushproof::conformance {

namespace {

// %s is a SKU, mostly one of three that exist, and %n a small number.
constexpr const char* row_statements[] = {
    "read %s",
    "read_all",
    "set %s %n",
    "take %s %n",
    "take %s %n",
    "add_all %n",
    "put %s %n",
    "put D %n",
    "put_or_nothing %s %n",
    "remove %s",
    "append %s %n",
    "read_ledger",
    "lock %s",
    "take_and_look %s 1",
    "reserve ann r%n %s 1",
    "move_reservation ann r%n %s",
    "reservations_of %s",
    "lock_at_least %n",
    "lock_first_at_least %n",
};
constexpr const char* row_lock_statements[] = {
    "lock %s",
    "share %s",
    "share %s",
    "key_share %s",
    "key_share %s",
    "no_key_update %s",
    "share_no_wait %s",
    "lock_no_wait %s",
    "lock_free 2",
    "share_free 2",
    "no_key_update_free 1",
    "key_share_no_wait %s",
    "take %s 1",
    "set %s %n",
    "remove %s",
    "put %s %n",
    "lock_all",
    "share_all",
    "add_all 1",
    "read_all",
};
constexpr const char* lock_statements[] = {
    "table_row_share",
    "table_row_exclusive",
    "table_share_update_exclusive",
    "table_share",
    "table_share_row_exclusive",
    "table_exclusive",
    "table_access_exclusive",
    "table_exclusive_no_wait",
    "advisory 1",
    "advisory 2",
    "advisory_shared 1",
    "advisory_shared 2",
    "advisory_xact 1",
    "advisory_xact 2",
    "advisory_xact_shared 1",
    "try_advisory 1",
    "try_advisory_xact 2",
    "advisory_unlock 1",
    "advisory_unlock_shared 1",
    "advisory_unlock 2",
    "read %s",
    "take %s 1",
    "take %s 1",
    "lock %s",
};
constexpr const char* serializable_statements[] = {
    "read %s",
    "read %s",
    "read %s",
    "read_all",
    "total",
    "read_at_least %n",
    "set %s %n",
    "set %s %n",
    "take %s 1",
    "add_all 1",
    "put D %n",
    "put E %n",
    "remove %s",
    "append %s 1",
    "ledger_of %s",
    "read_ledger",
    "lock %s",
    "reserve ann r%n %s 1",
    "reservations_of %s",
    "move_reservation ann r%n %s",
};

constexpr const char* one_writer_statements[] = {
    "read %s",
    "read_all",
    "total",
    "read_at_least %n",
    "set %s %n",
    "take %s %n",
    "take %s %n",
    "add_all %n",
    "put D %n",
    "put %s %n",
    "put_or_nothing %s %n",
    "remove %s",
    "append %s %n",
    "read_ledger",
    "ledger_of %s",
    "reserve ann r%n %s 1",
    "move_reservation ann r%n %s",
    "reservations_of %s",
};

std::span<const char* const> statements_of(Mix mix) {
    switch (mix) {
        case Mix::rows: return row_statements;
        case Mix::row_locks: return row_lock_statements;
        case Mix::snapshots: return row_statements;
        case Mix::locks: return lock_statements;
        case Mix::serializable: return serializable_statements;
        case Mix::one_writer: return one_writer_statements;
    }
    return {};
}

class Drawing {
public:
    Drawing(Mix mix, std::uint64_t seed, Engine& engine)
        : mix_(mix), random_(keyed_stream(seed, to_text(mix))), engine_(engine) {
        drawn_.name = to_text(mix) + "_" + std::to_string(seed);
    }

    Case draw() {
        engine_.reset();
        const std::uint64_t sessions = 2 + random_.below(3);
        const std::uint64_t steps = 10 + random_.below(12);
        for (std::uint64_t i = 0; i < steps; ++i) {
            const char name = static_cast<char>('a' + random_.below(sessions));
            if (!waits(name)) { take(name, next(name)); }
        }
        bool all_ended = false;
        while (!all_ended) {
            all_ended = true;
            for (const auto& [name, in_transaction] : std::map(in_transaction_)) {
                if (waits(name)) {
                    all_ended = false;
                } else if (in_transaction) {
                    take(name, failed(name) || random_.below(4) == 0 ? "rollback" : "commit");
                }
            }
            release_session_locks();
        }
        for (const char* look : {"read_all", "read_ledger", "reservations_of A"}) {
            take('z', look);
        }
        return std::move(drawn_);
    }

private:
    bool waits(char name) const {
        const auto found = known_.find(name);
        return found != known_.end() && found->second.waiting;
    }
    bool failed(char name) const {
        const auto found = known_.find(name);
        return found != known_.end() && found->second.outcome.starts_with("error");
    }

    void take(char name, std::string command) {
        if (command.starts_with("begin")) { in_transaction_[name] = true; }
        if (command == "commit" || command == "rollback") { in_transaction_[name] = false; }
        if (!in_transaction_.contains(name)) { in_transaction_[name] = false; }
        Step step{name, std::move(command), {}};
        step.seen = take_step(engine_, step, known_);
        drawn_.steps.push_back(std::move(step));
    }

    // A session that only holds an advisory lock would never let the others end.
    void release_session_locks() {
        if (mix_ != Mix::locks) { return; }
        for (const auto& [name, in_transaction] : std::map(in_transaction_)) {
            if (!in_transaction && !waits(name)) { take(name, "close"); }
        }
    }

    std::string next(char name) {
        if (in_transaction_[name]) {
            if (failed(name)) { return "rollback"; }
            const std::uint64_t end = random_.below(12);
            if (end < 2) { return "commit"; }
            return end == 2 ? "rollback" : statement();
        }
        const std::uint64_t kind = random_.below(8);
        if (mix_ == Mix::serializable) {
            return kind == 0 ? "begin serializable read_only" : "begin serializable";
        }
        if (mix_ == Mix::one_writer && kind < 2) { return "begin read_only"; }
        if (mix_ == Mix::snapshots && kind < 6) { return "begin repeatable_read"; }
        // A statement on its own cannot be LOCK TABLE.
        if (kind < 6 || mix_ == Mix::locks) { return "begin"; }
        return statement();
    }

    std::string statement() {
        const auto choices = statements_of(mix_);
        std::string drawn;
        for (const char* from = choices[random_.below(choices.size())]; *from != 0; ++from) {
            if (*from != '%') {
                drawn += *from;
            } else if (*++from == 's') {
                drawn += "ABCAB"[random_.below(5)];
            } else {
                drawn += std::to_string(1 + random_.below(9));
            }
        }
        return drawn;
    }

    Mix mix_;
    RandomStream random_;
    Engine& engine_;
    Case drawn_;
    std::map<char, SessionState> known_;
    std::map<char, bool> in_transaction_;
};

}  // namespace

std::string to_text(Mix mix) {
    switch (mix) {
        case Mix::rows: return "rows";
        case Mix::row_locks: return "row_locks";
        case Mix::snapshots: return "snapshots";
        case Mix::locks: return "locks";
        case Mix::serializable: return "serializable";
        case Mix::one_writer: return "one_writer";
    }
    return {};
}

Case draw_case(Mix mix, std::uint64_t seed, Engine& engine) {
    return Drawing(mix, seed, engine).draw();
}

}  // namespace rushproof::conformance
