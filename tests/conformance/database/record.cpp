// Writes into the case files what PostgreSQL does: record <connection> <file>...
#include <fstream>
#include <iostream>
#include <sstream>

#include "tests/conformance/database/postgres_engine.hpp"

int main(int count, char** arguments) {
    if (count < 3) {
        std::cerr << "usage: record <connection> <file>...\n";
        return 2;
    }
    try {
        rushproof::conformance::PostgresEngine engine(arguments[1]);
        for (int i = 2; i < count; ++i) {
            std::stringstream text;
            text << std::ifstream(arguments[i]).rdbuf();
            std::string recorded;
            for (const auto& written : rushproof::conformance::parse_cases(text.str())) {
                recorded += (recorded.empty() ? "" : "\n") + to_text(observe(engine, written));
            }
            std::ofstream(arguments[i]) << recorded;
        }
    } catch (const std::exception& error) {
        std::cerr << "record: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
