// rushproof queue: what an operator asks of a running system's pipeline, over the gateway's REST.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/real/beast/http_connection_pool.hpp"
#include "core/real/os/real_clock.hpp"
#include "reports/summary.hpp"
#include "simulator/cli/command.hpp"
#include "simulator/cli/judge_run.hpp"
#include "simulator/load/answers.hpp"
#include "simulator/scenario/units.hpp"

namespace rushproof::simulator {

namespace {

namespace json = boost::json;

constexpr Duration answer_within = std::chrono::seconds(30);
constexpr Duration look_again_after = std::chrono::milliseconds(200);

struct QueueSettings {
    std::string gateway = "http://127.0.0.1:8080";
    bool json = false;
    std::string to;
    std::string within;
    bool no_wait = false;
    std::int64_t workers = 0;
    std::vector<std::string> messages;
    bool all = false;
};

// What the user is told when it cannot be done.
class CannotBeDone : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

class AdminClient {
public:
    explicit AdminClient(std::string gateway)
        : gateway_(std::move(gateway)), clock_(context_.get_executor()) {
        const auto endpoint = HttpEndpoint::parse(gateway_);
        if (!endpoint) {
            throw CannotBeDone("--gateway " + gateway_ + ": " + endpoint.error().message());
        }
        http_ = std::make_unique<HttpConnectionPool>(context_.get_executor(), clock_, *endpoint);
    }

    json::object get(const std::string& path, HttpFields queries = {}) {
        HttpRequest request("GET", "/api/v1/admin/" + path);
        request.queries = std::move(queries);
        return exchange(std::move(request));
    }
    json::object post(const std::string& path, const json::object& body = {}) {
        return exchange(HttpRequest("POST", "/api/v1/admin/" + path, json::serialize(body)));
    }
    // All pages.
    json::array list(const std::string& path) {
        json::array items;
        std::string after;
        do {
            json::object page = get(path, {{"after", after}, {"limit", "100"}});
            for (json::value& item : page.at("items").as_array()) {
                items.push_back(std::move(item));
            }
            const json::value* next = page.if_contains("next");
            after = next == nullptr ? std::string() : std::string(next->as_string());
        } while (!after.empty());
        return items;
    }

private:
    json::object exchange(HttpRequest request) {
        request.fields.emplace_back("content-type", "application/json");
        if (const char* token = std::getenv("RUSHPROOF_ADMIN_TOKEN"); token != nullptr) {
            request.fields.emplace_back("authorization", std::string("Bearer ") + token);
        }
        Result<HttpResponse> answer = failure(ErrorKind::retryable, "unavailable", "not asked");
        asio::co_spawn(context_,
                       http_->send(Context(clock_.monotonic() + answer_within), std::move(request)),
                       [this, &answer](const std::exception_ptr& thrown, Result<HttpResponse> got) {
                           if (thrown) { std::rethrow_exception(thrown); }
                           answer = std::move(got);
                           context_.stop();  // a connection that is kept would go on waiting
                       });
        context_.restart();
        context_.run();
        if (!answer) {
            throw CannotBeDone(gateway_ + " does not answer: " + answer.error().message() +
                               " (--gateway says where it is)");
        }
        return understand(*answer);
    }

    json::object understand(const HttpResponse& answer) const {
        boost::system::error_code malformed;
        const json::value body = json::parse(answer.body, malformed);
        if (malformed || !body.is_object()) {
            throw CannotBeDone(gateway_ + " answered " + std::to_string(answer.status) +
                               ", but not as a gateway of rushproofd does");
        }
        if (answer.status < 300) { return body.get_object(); }
        const Error refusal = problem_error(answer);
        std::string said =
            std::to_string(answer.status) + " " + refusal.code() + ": " + refusal.message();
        if (answer.status == 401) { said += " (RUSHPROOF_ADMIN_TOKEN)"; }
        throw CannotBeDone(gateway_ + " refused: " + said);
    }

    std::string gateway_;
    asio::io_context context_{1};
    RealClock clock_;
    std::unique_ptr<HttpConnectionPool> http_;
};

void print(const std::string& line) { std::printf("%s\n", line.c_str()); }

bool is_steady(const json::object& queue) { return text_in(queue, "phase") == "steady"; }

std::string microseconds_text(std::int64_t microseconds) {
    return reports::duration_text(microseconds * 1'000);
}

void print_switch(const json::object& ended) {
    const std::string reason = text_in(ended, "reason");
    print(text_in(ended, "begunAt") + "  " + text_in(ended, "from") + " -> " +
          text_in(ended, "to") + ": " + text_in(ended, "outcome") + " in " +
          microseconds_text(integer_in(ended, "duration_us")) + ", " +
          reports::count_text(static_cast<std::uint64_t>(integer_in(ended, "carried"))) +
          " carried over" + (reason.empty() ? "" : " (" + reason + ")"));
}

void print_queue(const json::object& queue) {
    std::string line = "queue " + text_in(queue, "provider");
    if (is_steady(queue)) {
        line += ", no switch under way";
    } else {
        line += ", " + text_in(queue, "phase") + " from " + text_in(queue, "previous") + " since " +
                microseconds_text(integer_in(queue, "age_us")) + ", given up in " +
                microseconds_text(integer_in(queue, "left_us"));
    }
    print(line);
    for (const json::value& ended : queue.at("switches").as_array()) {
        print_switch(ended.as_object());
    }
}

int status(AdminClient& client, const QueueSettings& settings) {
    json::object queue = client.get("queue");
    json::object workers = client.get("workers");
    if (settings.json) {
        queue["workers"] = std::move(workers);
        print(json::serialize(queue));
        return 0;
    }
    print_queue(queue);
    print("workers " + std::to_string(integer_in(workers, "workers")) + ", busy " +
          std::to_string(integer_in(workers, "busy")));
    return 0;
}

int switch_queue(AdminClient& client, const QueueSettings& settings) {
    json::object wish{{"to", settings.to}};
    if (!settings.within.empty()) {
        const auto within = parse_duration(settings.within);
        if (!within) {
            throw CannotBeDone("--within " + settings.within + ": " + within.error().message);
        }
        wish["within_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*within).count();
    }
    json::object queue = client.post("queue", wish);
    while (!settings.no_wait && !is_steady(queue)) {
        std::this_thread::sleep_for(look_again_after);
        queue = client.get("queue");
    }
    const bool is_done = settings.no_wait || text_in(queue, "provider") == settings.to;
    if (settings.json) {
        print(json::serialize(queue));
    } else if (settings.no_wait) {
        print_queue(queue);
    } else {
        print_switch(queue.at("switches").as_array().at(0).as_object());
    }
    return is_done ? 0 : static_cast<int>(ExitCode::unknown);
}

int workers(AdminClient& client, const QueueSettings& settings) {
    const json::object state = settings.workers == 0
                                   ? client.get("workers")
                                   : client.post("workers", {{"workers", settings.workers}});
    print(settings.json ? json::serialize(state)
                        : "workers " + std::to_string(integer_in(state, "workers")) + ", busy " +
                              std::to_string(integer_in(state, "busy")));
    return 0;
}

int list(AdminClient& client, const QueueSettings& settings, const std::string& what,
         const std::string& none, void (*print_item)(const json::object&)) {
    const json::array items = client.list(what);
    if (settings.json) {
        print(json::serialize(items));
        return 0;
    }
    for (const json::value& item : items) { print_item(item.as_object()); }
    if (items.empty()) { print(none); }
    return 0;
}

void print_letter(const json::object& letter) {
    const std::string replayed = text_in(letter, "replayedAt");
    print(text_in(letter, "messageId") + "  " + text_in(letter, "deadAt") + "  " +
          text_in(letter, "reason") + " after " + std::to_string(integer_in(letter, "attempts")) +
          " attempts: " + text_in(letter, "detail") +
          (replayed.empty() ? "" : "  (replayed " + replayed + ")"));
}

void print_divergence(const json::object& divergence) {
    print(text_in(divergence, "messageId") + "  " + text_in(divergence, "recordedAt") +
          "  lacking on " + text_in(divergence, "lacking") + ": " + text_in(divergence, "reason"));
}

int dead_letters(AdminClient& client, const QueueSettings& settings) {
    return list(client, settings, "dead-letters", "no dead letters", print_letter);
}

int divergences(AdminClient& client, const QueueSettings& settings) {
    return list(client, settings, "divergences", "no divergences", print_divergence);
}

int replay(AdminClient& client, const QueueSettings& settings) {
    std::vector<std::string> messages = settings.messages;
    if (settings.all) {
        for (const json::value& letter : client.list("dead-letters")) {
            if (text_in(letter.as_object(), "replayedAt").empty()) {
                messages.push_back(text_in(letter.as_object(), "messageId"));
            }
        }
    }
    json::array replayed;
    for (const std::string& message : messages) {
        replayed.push_back(client.post("dead-letters/" + path_segment(message) + "/replay"));
        if (!settings.json) { print("replayed " + message); }
    }
    if (settings.json) { print(json::serialize(replayed)); }
    if (replayed.empty() && !settings.json) { print("nothing to replay"); }
    return 0;
}

int repair(AdminClient& client, const QueueSettings& settings) {
    std::int64_t repaired = 0;
    std::int64_t failed = 0;
    for (bool more = true; more && failed == 0;) {  // each call repairs a part of them
        const json::object done = client.post("divergences/repair");
        more = integer_in(done, "repaired") > 0;
        repaired += integer_in(done, "repaired");
        failed = integer_in(done, "failed");
    }
    print(settings.json
              ? json::serialize(json::object{{"repaired", repaired}, {"failed", failed}})
              : "repaired " + std::to_string(repaired) + ", failed " + std::to_string(failed));
    return failed == 0 ? 0 : static_cast<int>(ExitCode::unknown);
}

using Act = int (*)(AdminClient&, const QueueSettings&);

void declare(CLI::App& queue, QueueSettings& settings,
             std::vector<std::pair<CLI::App*, Act>>& acts) {
    const auto add = [&](const std::string& name, const std::string& about, Act act) {
        CLI::App* const parser = queue.add_subcommand(name, about);
        acts.emplace_back(parser, act);
        return parser;
    };
    add("status", "The queue in use, its switches, and the workers", status);
    auto* change = add("switch", "Move all messages to another queue, losing none, and wait for it",
                       switch_queue);
    change->add_option("to", settings.to, "memory, sqlite, nats, kafka or composite, as configured")
        ->required();
    change->add_option("--within", settings.within, "Go back when it takes longer, as 30s");
    change->add_flag("--no-wait", settings.no_wait,
                     "Begin the switch, and do not wait for its end");
    add("workers", "How many work at once in all processors; or change each processor's number",
        workers)
        ->add_option("count", settings.workers, "Workers of each processor")
        ->check(CLI::PositiveNumber);
    add("dead-letters", "Messages that were set aside, and why", dead_letters);
    auto* again = add("replay", "Put dead letters into the queue again", replay);
    auto* which = again->add_option("message", settings.messages, "Ids of messages");
    again->add_flag("--all", settings.all, "All that were not replayed yet")->excludes(which);
    again->callback([&settings] {
        if (settings.messages.empty() && !settings.all) {
            throw CLI::ValidationError("replay", "give ids of messages, or --all");
        }
    });
    add("divergences", "Messages that a part of a composite queue lacks", divergences);
    add("repair", "Give each part of a composite queue what it lacks", repair);
}

}  // namespace

Command add_queue(CLI::App& app) {
    auto* parser = app.add_subcommand(
        "queue", "Operate a running system's queue: switch it, its workers, its dead letters");
    auto settings = std::make_shared<QueueSettings>();
    auto acts = std::make_shared<std::vector<std::pair<CLI::App*, Act>>>();
    parser->require_subcommand(1);
    parser->fallthrough();
    parser->add_option("--gateway", settings->gateway, "A gateway of the system")
        ->envname("RUSHPROOF_GATEWAY")
        ->capture_default_str();
    parser->add_flag("--json", settings->json, "What the gateway answered");
    declare(*parser, *settings, *acts);
    parser->footer(
        "\nExamples:\n"
        "  rushproof queue status\n"
        "  rushproof queue switch nats --within 30s --gateway http://10.0.0.7:8080\n"
        "  rushproof queue replay --all\n"
        "\nThe administrator's token is read from RUSHPROOF_ADMIN_TOKEN.\n"
        "Exit codes: 0 done, 94 not done or not known, 104 the command line is wrong.\n");
    return {parser, [settings, acts] {
                const auto chosen = std::find_if(acts->begin(), acts->end(), [](const auto& act) {
                    return act.first->parsed();
                });
                try {
                    AdminClient client(settings->gateway);
                    return chosen->second(client, *settings);
                } catch (const CannotBeDone& problem) {
                    std::fprintf(stderr, "rushproof: %s\n", problem.what());
                    return static_cast<int>(ExitCode::unknown);
                }
            }};
}

}  // namespace rushproof::simulator
