// A message that one part of a composite queue lacks is known to the system, and mended in time.
#include <algorithm>

#include "simulator/checkers/findings.hpp"
#include "simulator/checkers/promises.hpp"

namespace rushproof::simulator {
namespace {

std::int64_t end_of(const History& history) {
    return history.events.empty() ? 0 : history.events.back().time;
}

// Events of its message.
std::vector<std::uint32_t> witness_of(const History& history, TextId message) {
    std::vector<std::uint32_t> events;
    for (std::uint32_t i = 0; i < history.events.size(); ++i) {
        const Event& event = history.events[i];
        if (event.subject == message && event.type != EventType::invoke) events.push_back(i);
    }
    return events;
}

}  // namespace

bool has_comparison(const History& history) { return history.compared; }

CheckResult check_dual_write_divergence(const History& history, const CheckOptions& options) {
    Findings findings;
    std::uint64_t repaired = 0;
    std::vector<const Divergence*> open;
    for (const Divergence& divergence : history.divergences) {
        const std::string text = history.texts.text(divergence.message) + " is on " +
                                 divergence.on + " and not on " + divergence.missing;
        switch (divergence.state) {
            case DivergenceState::repaired: ++repaired; break;
            case DivergenceState::unrecorded:
                findings.violation(text + ", and nobody recorded it",
                                   witness_of(history, divergence.message));
                break;
            case DivergenceState::open:
                if (end_of(history) - divergence.at >= options.divergence_settle) {
                    open.push_back(&divergence);
                }
                break;
        }
    }
    if (open.size() > options.divergences_max) {
        const Divergence& first = *open.front();
        findings.violation(count_of(open.size(), "message") + " stayed on one part only, " +
                               std::to_string(options.divergences_max) +
                               " may: " + history.texts.text(first.message) + " is on " + first.on +
                               " and not on " + first.missing + " since t=" + format_time(first.at),
                           witness_of(history, first.message));
    }
    return findings.result(history.divergences.size(),
                           count_of(history.divergences.size(), "divergence") + ", " +
                               std::to_string(repaired) + " repaired, " +
                               std::to_string(open.size()) + " open after their time");
}

}  // namespace rushproof::simulator
