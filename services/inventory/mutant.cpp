#include "services/inventory/mutant.hpp"

#include <array>
#include <utility>

namespace rushproof::inventory {

std::optional<Mutant> parse_mutant(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, Mutant>, 20> names = {{
        {"M01", Mutant::m01_read_modify_write},       {"M02", Mutant::m02_check_in_own_transaction},
        {"M03", Mutant::m03_conflict_as_success},     {"M04", Mutant::m04_write_skew},
        {"M05", Mutant::m05_retry_keeps_half},        {"M06", Mutant::m06_retry_without_key},
        {"M07", Mutant::m07_key_in_own_transaction},  {"M08", Mutant::m08_key_without_constraint},
        {"M09", Mutant::m09_other_body_same_answer},  {"M14", Mutant::m14_commit_then_publish},
        {"M15", Mutant::m15_publish_then_commit},     {"M16", Mutant::m16_reads_from_the_last_on},
        {"M17", Mutant::m17_removed_before_delivery}, {"M25", Mutant::m25_expire_any_state},
        {"M26", Mutant::m26_expire_by_own_clock},     {"M27", Mutant::m27_two_sweepers},
        {"M28", Mutant::m28_decides_by_replica},      {"P01", Mutant::p01_real_clock},
        {"P02", Mutant::p02_salted_hash_order},       {"P03", Mutant::p03_uninitialised_read},
    }};
    return find_mutant(names, name);
}

}  // namespace rushproof::inventory
