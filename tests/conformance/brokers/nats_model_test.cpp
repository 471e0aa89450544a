// Goal: the model of NATS says what a real server says.  Method: the conversations of README.md, at
// times of a clock that only `wait` moves.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "simulator/models/nats/stream.hpp"

namespace rushproof::simulator {
namespace {

using std::chrono::milliseconds;

Duration duration(const std::string& text) {
    std::size_t used = 0;
    const int number = std::stoi(text, &used);
    const std::string unit = text.substr(used);
    if (unit == "s") { return std::chrono::seconds(number); }
    if (unit == "m") { return std::chrono::minutes(number); }
    return milliseconds(number);
}

class Conversation {
public:
    // Commands are words; those of a setting are name=value.
    std::string say(const std::string& line) {
        std::istringstream words(line);
        std::string command;
        words >> command;
        std::map<std::string, std::string> settings;
        std::string argument;
        for (std::string word; words >> word;) {
            const auto equals = word.find('=');
            if (equals == word.npos) {
                argument = word;
            } else {
                settings[word.substr(0, equals)] = word.substr(equals + 1);
            }
        }
        if (command == "stream" || command == "consumer") { return make(command, settings); }
        if (command == "wait") {
            // The server looks through what is out every now and then.
            for (int left = std::stoi(argument); left > 0; left -= 50) {
                now_ += std::min(milliseconds(left), milliseconds(50));
                stream_->expire(now_);
                stream_->write_consumers();
            }
            return "";
        }
        if (command == "crash") {
            stream_->kill();
            return "";
        }
        if (command == "publish") { return publish(argument); }
        if (command == "fetch") { return fetch(std::stoul(argument)); }
        if (command == "info") {
            const auto info = stream_->info("group");
            return "waiting " + std::to_string(info.waiting) + " out " +
                   std::to_string(info.ack_pending);
        }
        return settle(command, argument);
    }

private:
    std::string make(const std::string& command, std::map<std::string, std::string>& settings) {
        if (command == "stream") {
            NatsStreamOptions options;
            options.duplicate_window = duration(settings["window"]);
            options.messages_max = std::stoi(settings["max"]);
            stream_.emplace(options);
            return "";
        }
        NatsConsumerOptions options;
        options.ack_wait = duration(settings["ack_wait"]);
        if (settings["pending"] != "0") {
            options.ack_pending_max = std::stoi(settings["pending"]);
        }
        options.deliveries_max = std::stoi(settings["deliveries"]);
        stream_->add_consumer("group", options);
        return "";
    }

    std::string publish(const std::string& id) {
        const auto published =
            stream_->publish({.subject = "s", .id = id, .headers = {}, .body = id}, now_);
        if (!published) { return "full"; }
        return (published->duplicate ? "duplicate of " : "") + std::to_string(published->sequence);
    }

    std::string fetch(std::size_t count) {
        std::string text;
        for (const NatsDelivery& delivery : stream_->fetch("group", count, now_)) {
            const std::string& id = delivery.message->id;
            deliveries_[id].push_back(delivery.sequence);
            text += (text.empty() ? "" : " ") + id;
            if (delivery.attempt > 1) { text += "*" + std::to_string(delivery.attempt); }
        }
        return text.empty() ? "nothing" : text;
    }

    std::string settle(const std::string& command, const std::string& which) {
        const auto hash = which.find('#');
        const std::uint64_t sequence =
            deliveries_.at(which.substr(0, hash)).at(std::stoul(which.substr(hash + 1)) - 1);
        if (command == "ack") { stream_->acknowledge("group", sequence); }
        if (command == "progress") { stream_->in_progress("group", sequence, now_); }
        if (command == "nak") { stream_->refuse("group", sequence); }
        return "ok";
    }

    std::optional<NatsStream> stream_;
    WallTime now_{std::chrono::seconds(1'767'225'600)};
    std::map<std::string, std::vector<std::uint64_t>> deliveries_;
};

TEST(NatsConversations, AreHeldWithTheModelAsWithTheServer) {
    int cases = 0;
    for (const auto& file : std::filesystem::directory_iterator("tests/conformance/brokers/nats")) {
        SCOPED_TRACE(file.path().filename().string());
        std::ifstream text(file.path());
        Conversation conversation;
        for (std::string line; std::getline(text, line);) {
            if (line.empty() || line.starts_with('#')) { continue; }
            const auto arrow = line.find(" -> ");
            const std::string expected = arrow == line.npos ? "" : line.substr(arrow + 4);
            EXPECT_EQ(conversation.say(line.substr(0, arrow)), expected) << line;
        }
        ++cases;
    }
    EXPECT_GE(cases, 6);
}

}  // namespace
}  // namespace rushproof::simulator
