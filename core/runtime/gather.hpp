// Calls that wait together are served together: while one group of them is being served, those that
// come form the next.
#pragma once
#include <deque>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "core/runtime/resumption.hpp"
#include "core/runtime/scope.hpp"

namespace rushproof {

template <class Item, class Answer>
class Gather {
public:
    // One answer for each item, in their order.  One call at a time.
    using Serve = std::function<Task<std::vector<Answer>>(std::vector<Item>)>;

    // At most `limit` are served together; `spawner` outlives it.
    Gather(Spawner& spawner, std::string_view name, std::size_t limit, Serve serve)
        : name_(name), limit_(limit), serve_(std::move(serve)), scope_(spawner) {}

    // Ends when it was served, even if its caller is cancelled meanwhile.
    Task<Answer> add(Item item) {
        if (!std::exchange(working_, true)) { scope_.start(name_, work()); }
        auto wait = [&](Resumption<Answer> answer) {
            line_.push_back({std::move(item), std::move(answer)});
        };
        co_return co_await suspend<Answer>(std::move(wait));
    }

    // When no call is under way and none will come.
    Task<void> join() { return scope_.join(); }

private:
    struct Waiting {
        Item item;
        Resumption<Answer> answer;
    };

    Task<void> work() {
        while (!line_.empty()) {
            std::vector<Item> items;
            std::vector<Resumption<Answer>> waiting;
            while (!line_.empty() && items.size() < limit_) {
                items.push_back(std::move(line_.front().item));
                waiting.push_back(std::move(line_.front().answer));
                line_.pop_front();
            }
            std::vector<Answer> answers = co_await serve_(std::move(items));
            for (std::size_t i = 0; i < waiting.size(); ++i) { waiting[i](std::move(answers[i])); }
        }
        working_ = false;
    }

    std::string_view name_;
    std::size_t limit_;
    Serve serve_;
    std::deque<Waiting> line_;
    bool working_ = false;
    Scope scope_;
};

}  // namespace rushproof
