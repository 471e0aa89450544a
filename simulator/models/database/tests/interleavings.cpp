#include "simulator/models/database/tests/interleavings.hpp"

#include "core/base/assert.hpp"

namespace rushproof::simulator::example {

namespace {

constexpr Interleaving all[] = {
    {"select_then_update_loses_an_update", R"(
        a: begin -> ok
        b: begin -> ok
        a: read A -> A 10
        b: read A -> A 10
        a: set A 9 -> A 9
        b: set A 9 -> waits
        a: commit -> ok
        b: -> A 9
        b: commit -> ok
        c: read A -> A 9
    )"},
    {"conditional_update_sees_the_newest_row_after_waiting", R"(
        a: begin -> ok
        a: take A 7 -> A 3
        b: take A 4 -> waits
        c: take A 3 -> waits
        a: commit -> ok
        b: -> none
        c: -> A 0
    )"},
    {"conditional_update_after_a_rollback_needs_no_second_look", R"(
        a: begin -> ok
        a: take A 10 -> A 0
        b: take A 10 -> waits
        a: rollback -> ok
        b: -> A 0
    )"},
    {"row_whose_filter_fails_after_waiting_stays_locked", R"(
        a: begin -> ok
        a: take A 10 -> A 0
        b: begin -> ok
        b: take A 1 -> waits
        a: commit -> ok
        b: -> none
        c: lock_no_wait A -> error lock-timeout
        b: commit -> ok
        c: lock_no_wait A -> A 0
    )"},
    {"row_that_the_snapshot_refused_is_not_looked_at_again", R"(
        a: begin -> ok
        a: set A 30 -> A 30
        b: lock_at_least 20 -> none
        a: commit -> ok
        b: lock_at_least 20 -> A 30
    )"},
    {"select_for_update_drops_rows_that_changed_while_it_waited", R"(
        a: begin -> ok
        a: set A 3 -> A 3
        b: lock_at_least 5 -> waits
        a: commit -> ok
        b: -> B 10, C 10
    )"},
    {"limit_counts_only_rows_that_are_locked", R"(
        a: begin -> ok
        a: set A 3 -> A 3
        b: begin -> ok
        b: lock_first_at_least 5 -> waits
        a: commit -> ok
        b: -> B 10
        c: lock_no_wait A -> error lock-timeout
        c: lock_no_wait B -> error lock-timeout
        c: lock_no_wait C -> C 10
    )"},
    {"for_update_is_first_come_first_served", R"(
        a: begin -> ok
        b: begin -> ok
        c: begin -> ok
        d: begin -> ok
        a: lock A -> A 10
        b: lock A -> waits
        c: lock A -> waits
        d: lock A -> waits
        a: commit -> ok
        b: -> A 10
        c: -> waits
        d: -> waits
        b: commit -> ok
        c: -> A 10
        d: -> waits
        c: rollback -> ok
        d: -> A 10
    )"},
    {"for_update_protects_select_then_update", R"(
        a: begin -> ok
        b: begin -> ok
        a: lock A -> A 10
        b: lock A -> waits
        a: set A 9 -> A 9
        a: commit -> ok
        b: -> A 9
        b: set A 8 -> A 8
        b: commit -> ok
        c: read A -> A 8
    )"},
    {"readers_never_wait", R"(
        a: begin -> ok
        a: take A 1 -> A 9
        a: remove B -> B 10
        a: put D 1 -> D 1
        b: read_all -> A 10, B 10, C 10
        a: read_all -> A 9, C 10, D 1
        a: commit -> ok
        b: read_all -> A 9, C 10, D 1
    )"},
    {"deleted_row_is_gone_after_waiting_and_not_locked", R"(
        a: begin -> ok
        a: remove A -> A 10
        b: begin -> ok
        b: take A 1 -> waits
        a: commit -> ok
        b: -> none
        c: put A 5 -> A 5
        b: take A 1 -> A 4
    )"},
    {"undeleted_row_is_there_after_waiting", R"(
        a: begin -> ok
        a: remove A -> A 10
        b: take A 1 -> waits
        a: rollback -> ok
        b: -> A 9
    )"},
    {"row_deleted_and_inserted_again_is_another_row", R"(
        a: begin -> ok
        a: remove A -> A 10
        a: put A 50 -> A 50
        b: take A 1 -> waits
        a: commit -> ok
        b: -> none
        b: take A 1 -> A 49
    )"},
    {"insert_waits_for_the_same_key_and_fails_after_commit", R"(
        a: begin -> ok
        a: put D 1 -> D 1
        b: put D 2 -> waits
        a: commit -> ok
        b: -> error unique-violation
        c: read D -> D 1
    )"},
    {"insert_waits_for_the_same_key_and_succeeds_after_rollback", R"(
        a: begin -> ok
        a: put D 1 -> D 1
        b: put D 2 -> waits
        a: rollback -> ok
        b: -> D 2
        c: read D -> D 2
    )"},
    {"on_conflict_do_nothing_waits_and_does_nothing_after_commit", R"(
        a: begin -> ok
        a: put D 1 -> D 1
        b: put_or_nothing D 2 -> waits
        a: commit -> ok
        b: -> none
        c: read D -> D 1
    )"},
    {"on_conflict_do_nothing_waits_and_inserts_after_rollback", R"(
        a: begin -> ok
        a: put D 1 -> D 1
        b: put_or_nothing D 2 -> waits
        a: rollback -> ok
        b: -> D 2
        b: put_or_nothing D 3 -> none
        c: read D -> D 2
    )"},
    {"insert_waits_for_an_uncommitted_delete", R"(
        a: begin -> ok
        a: remove A -> A 10
        b: put A 5 -> waits
        a: commit -> ok
        b: -> A 5
        a: begin -> ok
        a: remove A -> A 5
        b: put A 6 -> waits
        a: rollback -> ok
        b: -> error unique-violation
    )"},
    {"insert_waits_for_an_uncommitted_update_but_not_for_a_lock", R"(
        a: begin -> ok
        a: take A 1 -> A 9
        b: put A 5 -> waits
        c: put_or_nothing A 5 -> waits
        a: commit -> ok
        b: -> error unique-violation
        c: -> none
        a: begin -> ok
        a: lock A -> A 9
        b: put A 5 -> error unique-violation
        c: put_or_nothing A 5 -> none
    )"},
    {"update_waits_for_nothing_while_an_insert_is_uncommitted", R"(
        a: begin -> ok
        a: put D 1 -> D 1
        b: take D 1 -> none
        b: add_all 1 -> A 11, B 11, C 11
        a: commit -> ok
        b: take D 1 -> D 0
    )"},
    {"skip_locked_takes_what_is_free", R"(
        a: begin -> ok
        a: lock A -> A 10
        b: begin -> ok
        b: lock_free 1 -> B 10
        c: begin -> ok
        c: lock_free 5 -> C 10
        d: lock_free 5 -> none
        a: rollback -> ok
        d: lock_free 5 -> A 10
    )"},
    {"no_wait_fails_at_once_and_aborts", R"(
        a: begin -> ok
        a: lock A -> A 10
        b: begin -> ok
        b: take B 1 -> B 9
        b: lock_no_wait A -> error lock-timeout
        b: read A -> error statement-failed
        c: take B 1 -> B 9
        b: commit -> error statement-failed
        b: read B -> B 9
    )"},
    {"deadlock_of_two_fails_the_one_that_closes_it", R"(
        a: begin -> ok
        b: begin -> ok
        a: take A 1 -> A 9
        b: take B 1 -> B 9
        a: take B 1 -> waits
        b: take A 1 -> error deadlock
        a: -> B 9
        a: commit -> ok
        b: rollback -> ok
        b: read_all -> A 9, B 9, C 10
    )"},
    {"deadlock_of_three_fails_the_one_that_closes_it", R"(
        a: begin -> ok
        b: begin -> ok
        c: begin -> ok
        a: lock A -> A 10
        b: lock B -> B 10
        c: lock C -> C 10
        a: lock B -> waits
        b: lock C -> waits
        c: lock A -> error deadlock
        b: -> C 10
        a: -> waits
        b: commit -> ok
        a: -> B 10
    )"},
    {"deadlock_through_inserts", R"(
        a: begin -> ok
        b: begin -> ok
        a: put D 1 -> D 1
        b: put E 1 -> E 1
        a: put E 2 -> waits
        b: put D 2 -> error deadlock
        a: -> E 2
    )"},
    {"error_frees_the_locks_before_the_rollback", R"(
        a: begin -> ok
        a: take A 1 -> A 9
        b: take A 1 -> waits
        a: put B 5 -> error unique-violation
        b: -> A 9
    )"},
    {"client_that_goes_away_frees_its_locks", R"(
        a: begin -> ok
        a: take A 1 -> A 9
        b: lock A -> waits
        a: close -> ok
        b: -> A 10
    )"},
    {"update_holds_earlier_rows_while_it_waits_for_later_ones", R"(
        a: begin -> ok
        a: lock B -> B 10
        b: add_all 1 -> waits
        c: lock_no_wait A -> error lock-timeout
        c: lock_no_wait C -> C 10
        a: commit -> ok
        b: -> A 11, B 11, C 11
    )"},
    {"own_writes_are_seen_by_later_statements_only", R"(
        a: begin -> ok
        a: take_and_look A 1 -> A 10
        a: take_and_look A 1 -> A 9
        a: read A -> A 8
        b: read A -> A 10
        a: put D 1 -> D 1
        a: remove D -> D 1
        a: put D 2 -> D 2
        a: commit -> ok
        b: read_all -> A 8, B 10, C 10, D 2
    )"},
    {"read_committed_takes_a_snapshot_per_statement", R"(
        a: begin -> ok
        a: read A -> A 10
        b: take A 1 -> A 9
        a: read A -> A 9
        b: put D 1 -> D 1
        a: read_all -> A 9, B 10, C 10, D 1
    )"},
    {"repeatable_read_takes_its_snapshot_with_the_first_statement", R"(
        a: begin repeatable_read -> ok
        b: take A 1 -> A 9
        a: read A -> A 9
        b: take A 1 -> A 8
        b: put D 1 -> D 1
        b: remove B -> B 10
        a: read_all -> A 9, B 10, C 10
        a: take C 1 -> C 9
        a: read_all -> A 9, B 10, C 9
        a: commit -> ok
        a: read_all -> A 8, C 9, D 1
    )"},
    {"repeatable_read_refuses_a_row_that_changed", R"(
        a: begin repeatable_read -> ok
        a: read A -> A 10
        b: take A 1 -> A 9
        a: take A 1 -> error serialization-failure
        a: rollback -> ok
        a: begin repeatable_read -> ok
        a: read B -> B 10
        b: take B 1 -> B 9
        a: lock B -> error serialization-failure
        a: rollback -> ok
        a: begin repeatable_read -> ok
        a: read C -> C 10
        b: remove C -> C 10
        a: take C 1 -> error serialization-failure
    )"},
    {"repeatable_read_waits_and_then_decides", R"(
        a: begin repeatable_read -> ok
        a: read A -> A 10
        b: begin -> ok
        b: take A 1 -> A 9
        a: take A 1 -> waits
        b: commit -> ok
        a: -> error serialization-failure
        a: rollback -> ok
        a: begin repeatable_read -> ok
        a: read A -> A 9
        b: begin -> ok
        b: take A 1 -> A 8
        a: take A 1 -> waits
        b: rollback -> ok
        a: -> A 8
        b: begin -> ok
        b: lock B -> B 10
        a: take B 1 -> waits
        b: commit -> ok
        a: -> B 9
        a: commit -> ok
    )"},
    {"repeatable_read_does_not_wait_for_what_it_must_refuse", R"(
        a: begin repeatable_read -> ok
        a: read A -> A 10
        b: take A 1 -> A 9
        c: begin -> ok
        c: lock A -> A 9
        a: take A 1 -> error serialization-failure
    )"},
    {"repeatable_read_inserts_against_rows_it_cannot_see", R"(
        a: begin repeatable_read -> ok
        a: read A -> A 10
        b: put D 1 -> D 1
        a: put_or_nothing D 2 -> error serialization-failure
        a: rollback -> ok
        a: begin repeatable_read -> ok
        a: read A -> A 10
        b: put E 1 -> E 1
        a: put E 2 -> error unique-violation
        a: rollback -> ok
        a: begin repeatable_read -> ok
        a: put_or_nothing E 3 -> none
        a: put F 1 -> F 1
        a: put_or_nothing F 2 -> none
    )"},
    {"read_only_transaction_refuses_writes_and_locks", R"(
        a: begin read_only -> ok
        a: read A -> A 10
        a: take A 1 -> error statement-failed
        a: rollback -> ok
        a: begin read_only -> ok
        a: lock A -> error statement-failed
        a: rollback -> ok
        b: take A 1 -> A 9
    )"},
    {"identity_numbers_leave_gaps_and_do_not_follow_the_order_of_commits", R"(
        a: begin -> ok
        b: begin -> ok
        c: begin -> ok
        a: append A 1 -> 1 A 1
        b: append A 2 -> 2 A 2
        c: append A 3 -> 3 A 3
        c: commit -> ok
        d: read_ledger -> 3 A 3
        b: rollback -> ok
        a: commit -> ok
        d: read_ledger -> 1 A 1, 3 A 3
        d: append A 4 -> 4 A 4
    )"},
    {"index_finds_a_row_where_the_reader_sees_it", R"(
        a: reserve ann 1 A 2 -> ann 1 A 2
        a: reserve bob 1 A 3 -> bob 1 A 3
        a: begin -> ok
        a: move_reservation ann 1 B -> ann 1 B 2
        a: reservations_of A -> bob 1 A 3
        a: reservations_of B -> ann 1 B 2
        b: reservations_of A -> ann 1 A 2, bob 1 A 3
        b: reservations_of B -> none
        a: commit -> ok
        b: reservations_of A -> bob 1 A 3
        b: reservations_of B -> ann 1 B 2
        b: reserve bob 1 C 1 -> error unique-violation
        b: reserve bob 2 C 1 -> bob 2 C 1
    )"},
};

std::string_view trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') { text.remove_prefix(1); }
    while (!text.empty() && text.back() == ' ') { text.remove_suffix(1); }
    return text;
}

}  // namespace

std::span<const Interleaving> interleavings() { return all; }

std::vector<ScriptLine> parse_script(std::string_view script) {
    std::vector<ScriptLine> result;
    while (!script.empty()) {
        const std::size_t end = script.find('\n');
        const std::string_view line = trim(script.substr(0, end));
        script.remove_prefix(end == std::string_view::npos ? script.size() : end + 1);
        if (line.empty()) { continue; }
        const std::size_t arrow = line.find("->");
        RP_ASSERT(arrow != std::string_view::npos);
        RP_ASSERT(line[1] == ':');
        result.push_back({line[0], std::string(trim(line.substr(2, arrow - 2))),
                          std::string(trim(line.substr(arrow + 2)))});
    }
    return result;
}

}  // namespace rushproof::simulator::example
