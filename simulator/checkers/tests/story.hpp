// Small histories, told operation by operation and read back from their JSON lines.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/record/history_json.hpp"

namespace rushproof::simulator {

// Every operation has a client of its own.  `answer` is "ok", "insufficient", "failed", "info" or
// "none"; times are milliseconds.
class Story {
public:
    explicit Story(std::string_view header = R"("stock":{"SKU-1":2})")
        : header_("{\"rushproof-history\":1," + std::string(header) + "}\n") {}

    Story& reserve(int call, int returned, std::string_view id, int quantity,
                   std::string_view answer = "ok", std::string_view sku = "SKU-1") {
        return tell(call, returned, "reserve", sku,
                    "\"quantity\":" + std::to_string(quantity) + ",\"reservation\":" + quote(id),
                    answer);
    }
    // confirm, release, expire or extend.
    Story& end(std::string_view function, int call, int returned, std::string_view id,
               std::string_view answer = "ok") {
        return tell(call, returned, function, "", "\"reservation\":" + quote(id), answer);
    }
    Story& read(int call, int returned, int available) {
        return tell(call, returned, "read", "SKU-1", "\"available\":" + std::to_string(available),
                    "ok");
    }
    Story& restock(int call, int returned, int quantity, std::string_view answer = "ok") {
        return tell(call, returned, "restock", "SKU-1", "\"quantity\":" + std::to_string(quantity),
                    answer);
    }
    // By the client who told the operation before, after it.
    Story& find(int call, int returned, std::string_view id, std::string_view state) {
        const std::string client = std::to_string(clients_ - 1);
        const std::string value = "\"reservation\":" + quote(id);
        add(call, client, "invoke", "find", "", value, "");
        add(returned, client, "ok", "find", "", value + ",\"state\":" + quote(state), "");
        return *this;
    }
    // Of one unit of each; `answer` may name the SKU that refused.
    Story& basket(int call, int returned, std::string_view id, std::vector<std::string> skus,
                  std::string_view answer = "ok") {
        std::string lines;
        for (const std::string& sku : skus) {
            lines += (lines.empty() ? "" : ",") + ("{\"quantity\":1,\"key\":" + quote(sku) + "}");
        }
        const std::string value = "\"reservation\":" + quote(id) + ",\"lines\":[" + lines + "]";
        const bool refused = answer.starts_with("SKU");
        const std::string client = next_client();
        add(call, client, "invoke", "basket", "", value, "");
        add(returned, client, refused ? "fail" : answer, "basket", refused ? answer : "", value,
            refused ? "insufficient" : "");
        return *this;
    }
    Story& enqueue(int call, int returned, std::string_view message, std::string_view key,
                   std::string_view answer = "ok") {
        return tell(call, returned, "enqueue", key, "\"message\":" + quote(message), answer);
    }
    Story& process(int time, std::string_view message, std::string_view key) {
        add(time, next_client(), "ok", "process", key, "\"message\":" + quote(message), "");
        return *this;
    }
    // Set aside for good.
    Story& reject(int time, std::string_view message, std::string_view key) {
        return tell(time, time, "process", key, "\"message\":" + quote(message), "failed");
    }
    // `type` is "ok", "fail" or "info"; the epoch that it left is `epoch`.
    Story& switch_queue(int began, int ended, std::string_view from, std::string_view to,
                        std::string_view type = "ok", int epoch = 0, int carried_over = 0) {
        const std::string id = "switch-queue-" + std::to_string(++switches_);
        add(ended, "operator", type, "switch-queue", "",
            "\"id\":" + quote(id) + ",\"from\":" + quote(from) + ",\"to\":" + quote(to) +
                ",\"epoch\":" + std::to_string(epoch) + ",\"began\":" + nanoseconds(began) +
                ",\"carried_over\":" + std::to_string(carried_over),
            type == "ok" ? "" : "the broker is away");
        return *this;
    }
    Story& divergence(int at, std::string_view message, std::string_view state) {
        audit_ +=
            "{\"time\":0,\"process\":\"audit\",\"type\":\"ok\",\"f\":\"divergence\",\"value\":{"
            "\"message\":" +
            quote(message) + ",\"on\":\"nats\",\"missing\":\"kafka\",\"state\":" + quote(state) +
            ",\"at\":" + nanoseconds(at) + "}}\n";
        return *this;
    }
    Story& fault(int time, std::string_view id, std::string_view phase) {
        add(time, "nemesis", "info", id, "", "\"phase\":" + quote(phase), "");
        return *this;
    }
    Story& ledger(std::string_view kind, std::string_view id, int quantity, int at,
                  std::string_view sku = "SKU-1") {
        std::string value = "\"number\":" + std::to_string(++number_) + ",\"kind\":" + quote(kind) +
                            ",\"quantity\":" + std::to_string(quantity) +
                            ",\"at\":" + nanoseconds(at) +
                            ",\"committed_before\":" + nanoseconds(at);
        if (!id.empty()) value += ",\"reservation\":" + quote(id);
        return audit("ledger", sku, value);
    }
    Story& stock(int on_hand, int held, int sold, std::string_view sku = "SKU-1") {
        return audit("stock", sku,
                     "\"on_hand\":" + std::to_string(on_hand) +
                         ",\"held\":" + std::to_string(held) + ",\"sold\":" + std::to_string(sold));
    }

    std::string text() const {
        std::vector<Line> lines = lines_;
        std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
            return a.time != b.time ? a.time < b.time : a.number < b.number;
        });
        std::string text = header_;
        for (const Line& line : lines) text += line.text;
        return text + audit_;
    }

    History history() const {
        auto history = parse_history_json(text());
        EXPECT_TRUE(history.has_value()) << history.error().message() << "\n" << text();
        return history ? std::move(*history) : History();
    }

private:
    struct Line {
        int time = 0;
        std::size_t number = 0;
        std::string text;
    };

    static std::string nanoseconds(int milliseconds) {
        return std::to_string(std::int64_t{milliseconds} * 1'000'000);
    }
    static std::string quote(std::string_view text) { return "\"" + std::string(text) + "\""; }
    std::string next_client() { return std::to_string(clients_++); }

    Story& tell(int call, int returned, std::string_view function, std::string_view key,
                const std::string& value, std::string_view answer) {
        const std::string client = next_client();
        add(call, client, "invoke", function, key, value, "");
        if (answer == "none") return *this;
        const bool failed = answer == "insufficient" || answer == "failed";
        add(returned, client, failed ? "fail" : answer, function, key, value, failed ? answer : "");
        return *this;
    }

    void add(int time, const std::string& process, std::string_view type, std::string_view function,
             std::string_view key, const std::string& value, std::string_view error) {
        std::string text = "{\"time\":" + nanoseconds(time) + ",\"process\":" + quote(process) +
                           ",\"type\":" + quote(type) + ",\"f\":" + quote(function) +
                           ",\"value\":{" + value + "}";
        if (!key.empty()) text += ",\"key\":" + quote(key);
        if (!error.empty()) text += ",\"error\":" + quote(error);
        lines_.push_back({time, lines_.size(), text + "}\n"});
    }

    Story& audit(std::string_view function, std::string_view sku, const std::string& value) {
        audit_ += "{\"time\":0,\"process\":\"audit\",\"type\":\"ok\",\"f\":" + quote(function) +
                  ",\"key\":" + quote(sku) + ",\"value\":{" + value + "}}\n";
        return *this;
    }

    std::string header_;
    std::vector<Line> lines_;
    std::string audit_;
    int clients_ = 0;
    int number_ = 0;
    int switches_ = 0;
};

}  // namespace rushproof::simulator
