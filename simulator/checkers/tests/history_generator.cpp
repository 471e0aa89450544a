#include "simulator/checkers/tests/history_generator.hpp"

#include <queue>
#include <string>
#include <vector>

#include "core/base/keyed_random.hpp"

namespace rushproof::simulator {
namespace {

constexpr Duration think_time = std::chrono::milliseconds(5);
constexpr Duration answer_time = std::chrono::milliseconds(10);
constexpr std::uint32_t give_back_share = 470'000;

enum class Phase : std::uint8_t { call, effect, answer };

struct Hold {
    TextId reservation = no_text;
    std::int64_t quantity = 0;
};

struct Client {
    RandomStream random;
    TextId process = no_text;
    std::vector<Hold> holds;
    Event asked;
    std::int64_t answered_at = 0;
    std::int64_t effect_at = 0;
    bool happened = false;
    bool lost = false;  // the answer
};

struct Moment {
    std::int64_t time = 0;
    std::uint32_t client = 0;
    Phase phase = Phase::call;

    friend bool operator>(const Moment& a, const Moment& b) {
        return a.time != b.time ? a.time > b.time : a.client > b.client;
    }
};

class Generator {
public:
    explicit Generator(const GeneratorOptions& options)
        : options_(options), available_(options.stock) {
        sku_ = history_.texts.intern("SKU-1");
        history_.initial_stock.emplace_back(sku_, options.stock);
        history_.world = "generated";
        history_.seed = options.seed;
        history_.audited = options.audited;
        history_.events.reserve(2 * options.operations);
        for (std::uint32_t i = 0; i < options.clients; ++i) {
            clients_.push_back(Client{.random = keyed_stream(options.seed, "client", i),
                                      .process = next_process(),
                                      .holds = {},
                                      .asked = {}});
            schedule(clients_[i].random.exponential(think_time).count(), i, Phase::call);
        }
    }

    History generate() {
        while (!moments_.empty()) {
            const Moment moment = moments_.top();
            moments_.pop();
            Client& client = clients_[moment.client];
            switch (moment.phase) {
                case Phase::call: call(client, moment); break;
                case Phase::effect: take_effect(client, moment); break;
                case Phase::answer: answer(client, moment); break;
            }
        }
        return std::move(history_);
    }

private:
    TextId next_process() { return history_.texts.intern(std::to_string(processes_++)); }

    void schedule(std::int64_t time, std::uint32_t client, Phase phase) {
        moments_.push({time, client, phase});
    }

    void call(Client& client, const Moment& moment) {
        if (asked_ == options_.operations) return;
        ++asked_;
        choose(client, moment.time);
        history_.events.push_back(client.asked);
        const std::int64_t duration = client.random.exponential(answer_time).count() + 32;
        client.answered_at = moment.time + duration;
        client.effect_at = client.random.between(moment.time + 1, client.answered_at - 1);
        client.lost =
            client.asked.function != Function::read && client.random.chance(options_.unknown);
        schedule(client.effect_at, moment.client, Phase::effect);
    }

    void choose(Client& client, std::int64_t time) {
        Event& event = client.asked;
        event = {.time = time, .process = client.process, .key = sku_};
        const bool gives_back = client.random.chance(give_back_share);
        const bool reads = client.random.chance(options_.reads);
        if (reads) {
            event.function = Function::read;
        } else if (gives_back && !client.holds.empty()) {
            event.function = Function::release;
            event.subject = client.holds.back().reservation;
            event.amount = client.holds.back().quantity;
            client.holds.pop_back();
        } else {
            event.function = Function::reserve;
            event.subject = history_.texts.intern("r-" + std::to_string(reservations_++));
            event.amount = client.random.between(1, options_.quantity_max);
        }
    }

    void take_effect(Client& client, const Moment& moment) {
        const bool arrives = !client.lost || client.random.chance(500'000);
        const Event& event = client.asked;
        client.happened = arrives;
        if (event.function == Function::read) {
            client.asked.amount = available_;
        } else if (event.function == Function::release) {
            if (arrives) available_ += event.amount;
        } else if (arrives) {
            client.happened = available_ >= event.amount;
            if (client.happened) available_ -= event.amount;
        }
        if (options_.audited && client.happened && event.function != Function::read) {
            history_.ledger.push_back({.key = sku_,
                                       .reservation = event.subject,
                                       .kind = std::string(to_string(event.function)),
                                       .quantity = event.amount,
                                       .number = static_cast<std::int64_t>(++entries_),
                                       .at = moment.time,
                                       .committed_before = moment.time});
        }
        schedule(client.answered_at, moment.client, Phase::answer);
    }

    void answer(Client& client, const Moment& moment) {
        Event event = client.asked;
        event.time = moment.time;
        if (answered_++ == options_.wrong_from) {
            client.happened = !client.happened;
            if (event.function == Function::read) ++event.amount;
        }
        if (client.lost) {
            event.type = EventType::info;
        } else if (client.happened || event.function != Function::reserve) {
            event.type = EventType::ok;
        } else {
            event.type = EventType::fail;
            event.failure = Failure::insufficient;
        }
        history_.events.push_back(event);
        std::int64_t pause = client.random.exponential(think_time).count() + 1;
        if (client.lost) {
            repair(client, event, moment.time);
            client.process = next_process();
        } else if (client.happened && event.function == Function::reserve) {
            client.holds.push_back({event.subject, event.amount});
        }
        schedule(moment.time + pause, moment.client, Phase::call);
    }

    // What a lost answer left held would never be sold: somebody puts as much on the shelf.
    void repair(const Client& client, const Event& lost, std::int64_t time) {
        const bool leaks = (lost.function == Function::reserve) == client.happened;
        if (!leaks) return;
        available_ += lost.amount;
        Event restock{.time = time,
                      .amount = lost.amount,
                      .process = history_.texts.intern("keeper"),
                      .key = sku_,
                      .function = Function::restock};
        history_.events.push_back(restock);
        restock.type = EventType::ok;
        history_.events.push_back(restock);
    }

    GeneratorOptions options_;
    History history_;
    std::int64_t available_;
    TextId sku_ = no_text;
    std::vector<Client> clients_;
    std::priority_queue<Moment, std::vector<Moment>, std::greater<>> moments_;
    std::uint64_t processes_ = 0;
    std::uint64_t asked_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t reservations_ = 0;
    std::uint64_t entries_ = 0;
};

}  // namespace

History generate_history(const GeneratorOptions& options) { return Generator(options).generate(); }

}  // namespace rushproof::simulator
