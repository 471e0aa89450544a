// A case on the model, in virtual time.
#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "simulator/models/database/database.hpp"
#include "tests/conformance/database/case.hpp"

namespace rushproof::conformance {

class ModelEngine final : public Engine {
public:
    explicit ModelEngine(simulator::ModelMistake mistake = simulator::ModelMistake::none)
        : mistake_(mistake) {}
    // Calls that wait refer to the context, so the database goes first.
    ~ModelEngine() override;

    void reset() override;
    void submit(char session, const std::string& command) override;
    std::map<char, SessionState> settle() override;

private:
    struct Session {
        std::unique_ptr<simulator::ModelSession> session;
        bool in_transaction = false;
        SessionState state;
    };

    void act(const std::vector<std::string>& command);
    Task<void> perform(Session& session, std::string command);
    Task<std::string> answer(Session& session, std::string command);
    void run_ready();
    void fire_timers(Duration until);
    void pass(Duration time);

    simulator::ModelMistake mistake_;
    asio::io_context context_;
    Duration now_{};
    std::multimap<Duration, std::function<void()>> timers_;
    std::unique_ptr<simulator::ModelDatabase> database_;
    std::map<char, Session> sessions_;
};

}  // namespace rushproof::conformance
