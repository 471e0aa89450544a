#include "core/runtime/role_tables.hpp"

#include <utility>

namespace rushproof {

Statement StatementMaker::make(std::string_view name, std::string_view sql,
                               std::string_view sqlite) {
    const std::string_view both = sqlite.empty() ? sql : sqlite;
    return {keep(std::string(tables_.role) + '.' + std::string(name), {}), keep(sql, tables_.sql),
            keep(both, tables_.sqlite)};
}

std::string_view StatementMaker::table(std::string_view name) {
    return keep(std::string(tables_.sqlite) + std::string(name), {});
}

std::string_view StatementMaker::keep(std::string_view text, std::string_view beginning) {
    std::string result;
    for (const char c : text) {
        if (c == '@') {
            result += beginning;
        } else {
            result += c;
        }
    }
    return texts_.emplace_back(std::move(result));
}

}  // namespace rushproof
