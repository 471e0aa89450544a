// Goal: whoever comes, goes and dies: nothing is lost, nothing that was acknowledged comes again,
// no two members hold the same message, and each key keeps its order. Method: members that do what
// the seed says; at the end one of them does all that is left.
#include <map>
#include <utility>

#include "core/base/keyed_random.hpp"
#include "tests/conformance/queue/cases.hpp"

namespace rushproof::conformance {
namespace {

using std::chrono::milliseconds;

class RandomWork {
public:
    RandomWork(QueueConformance& suite, MessageQueue& queue, std::uint64_t seed)
        : suite_(suite),
          queue_(queue),
          prefix_(std::to_string(seed) + "/"),
          random_(keyed_stream(seed, "queue")) {}

    Task<void> act() {
        const std::uint64_t what = random_.below(10);
        Member& member = members_[random_.below(3)];
        if (what < 4) {
            co_await publish();
        } else if (!member.consumer) {
            member.consumer = co_await suite_.join(queue_);
        } else if (what < 7) {
            co_await take(member, milliseconds(20));
        } else if (what < 9) {
            const std::size_t count = random_.below(member.held.size() + 1);
            co_await acknowledge(member, count);
        } else {
            co_await leave(member);
        }
    }

    Task<void> finish() {
        co_await leave(members_[1]);
        co_await leave(members_[2]);
        Member& last = members_[0];
        if (!last.consumer) { last.consumer = co_await suite_.join(queue_); }
        const std::size_t all = accepted_ * suite_.copies();
        const Context context = suite_.patient();
        while (suite_.clock().monotonic() < context.deadline) {
            co_await acknowledge(last, last.held.size());
            if (finished_ == all) { break; }
            co_await take(last, suite_.traits().quiet);
        }
        EXPECT_EQ(finished_, all);
        if (queue_.features().keeps_key_order && !suite_.traits().may_overtake_who_goes) {
            for (const auto& [key, count] : published_) {
                Ids expected = in_order(key, count);
                for (std::string& id : expected) { id = prefix_ + id; }
                EXPECT_EQ(journal_.of(key), expected);
            }
        }
        const auto left = co_await suite_.unfinished_becomes(queue_, 0);
        EXPECT_EQ(left, 0);
    }

private:
    struct Member {
        std::unique_ptr<Consumer> consumer;
        std::vector<Delivery> held;
    };

    Task<void> publish() {
        const int key = static_cast<int>(random_.below(4));
        Message next = message(prefix_ + id_name(key, published_[key]), key_name(key));
        const std::string answer = co_await suite_.try_publish(queue_, std::move(next));
        EXPECT_TRUE(answer == "ok" || answer == "retryable queue-full") << answer;
        if (answer != "ok") { co_return; }
        ++accepted_;
        ++published_[key];
    }

    Task<void> take(Member& member, Duration longest) {
        const std::size_t limit = 1 + random_.below(4);
        const auto next = co_await member.consumer->next(suite_.within(longest), limit);
        EXPECT_TRUE(next.has_value());
        if (!next) { co_return; }
        for (const Delivery& delivery : *next) {
            const std::string& id = delivery.message.id;
            const int known = finished_of_[id] + ++held_of_[id];
            EXPECT_LE(known, suite_.traits().copies) << id << " is held or acknowledged already";
            journal_.add(delivery.message);
            member.held.push_back(delivery);
        }
    }

    Task<void> acknowledge(Member& member, std::size_t count) {
        const auto end = member.held.begin() + static_cast<std::ptrdiff_t>(count);
        const std::vector<Delivery> some(member.held.begin(), end);
        member.held.erase(member.held.begin(), end);
        if (some.empty()) { co_return; }
        co_await suite_.acknowledge(*member.consumer, some);
        for (const Delivery& delivery : some) {
            --held_of_[delivery.message.id];
            ++finished_of_[delivery.message.id];
            ++finished_;
        }
    }

    Task<void> leave(Member& member) {
        if (!member.consumer) { co_return; }
        if (random_.below(2) == 0) { co_await member.consumer->close(); }
        for (const Delivery& delivery : member.held) { --held_of_[delivery.message.id]; }
        member = Member{};
    }

    QueueConformance& suite_;
    MessageQueue& queue_;
    std::string prefix_;
    RandomStream random_;
    Member members_[3];
    Journal journal_;
    std::map<int, int> published_;  // by key
    std::size_t accepted_ = 0;
    std::map<std::string, int> held_of_;  // copies
    std::map<std::string, int> finished_of_;
    std::size_t finished_ = 0;
};

TEST_P(QueueConformance, LosesNothingInRandomWork) {
    if (traits().acknowledges_in_order_only) { GTEST_SKIP() << "it may repeat what it was told"; }
    for (int seed = 1; seed <= traits().rounds && !HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        run([&]() -> Task<void> {
            const auto queue = co_await open();
            RandomWork work(*this, *queue, static_cast<std::uint64_t>(seed));
            for (int i = 0; i < 60; ++i) { co_await work.act(); }
            co_await work.finish();
        });
    }
}

}  // namespace
}  // namespace rushproof::conformance
