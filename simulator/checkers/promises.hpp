// The checks, one file each; checkers.cpp has the table.
#pragma once
#include "simulator/checkers/checker.hpp"

namespace rushproof::simulator {

bool has_reservations(const History& history);  // of counted stock
CheckResult check_no_oversell(const History& history, const CheckOptions& options);

bool has_stock_answers(const History& history);
CheckResult check_linearizable(const History& history, const CheckOptions& options);

bool has_audit(const History& history);
CheckResult check_conservation(const History& history, const CheckOptions& options);

CheckResult check_acknowledged_survives(const History& history, const CheckOptions& options);

bool has_audited_baskets(const History& history);
CheckResult check_all_or_nothing(const History& history, const CheckOptions& options);

bool has_reservation_ends(const History& history);
CheckResult check_lifecycle(const History& history, const CheckOptions& options);

bool has_repeats(const History& history);
CheckResult check_idempotent(const History& history, const CheckOptions& options);

bool has_finds(const History& history);
CheckResult check_read_your_writes(const History& history, const CheckOptions& options);

bool has_messages(const History& history);
CheckResult check_accepted_is_processed(const History& history, const CheckOptions& options);

bool has_processed_messages(const History& history);
CheckResult check_per_key_order(const History& history, const CheckOptions& options);

bool has_switches(const History& history);
CheckResult check_switch_loses_nothing(const History& history, const CheckOptions& options);

bool has_comparison(const History& history);
CheckResult check_dual_write_divergence(const History& history, const CheckOptions& options);

CheckResult check_delivery(const History& history, const CheckOptions& options);

bool has_operations(const History& history);
CheckResult check_progress(const History& history, const CheckOptions& options);

bool has_event(const History& history, std::initializer_list<Function> functions);

}  // namespace rushproof::simulator
