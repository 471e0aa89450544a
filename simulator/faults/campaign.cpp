#include "simulator/faults/campaign.hpp"

#include <algorithm>

namespace rushproof::simulator {

Campaign::Campaign(std::vector<PlannedFault> plan, Chaos& chaos, History& history)
    : plan_(std::move(plan)), chaos_(chaos), history_(history) {
    for (const PlannedFault& planned : plan_) {
        FaultRecord record;
        record.id = planned.id;
        record.kind = to_string(planned.fault.kind);
        record.target = planned.fault.between
                            ? planned.fault.between->first + " - " + planned.fault.between->second
                            : planned.fault.target;
        record.planned = planned.at.count();
        record.line = planned.location.line;
        records_.push_back(std::move(record));
    }
}

Duration Campaign::length(std::size_t fault) const {
    const PlannedFault& planned = plan_[fault];
    if (restarts(planned.fault)) { return planned.fault.restart_after; }
    return takes_no_time(planned.fault) ? Duration::zero() : planned.duration;
}

std::vector<Campaign::Moment> Campaign::moments() const {
    std::vector<Moment> result;
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        if (plan_[i].at_point) { continue; }
        result.push_back({plan_[i].at, i, true});
        result.push_back({plan_[i].at + length(i), i, false});
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const Moment& a, const Moment& b) { return a.at < b.at; });
    return result;
}

void Campaign::aim(std::size_t fault, const std::string& instance) {
    std::string& target = plan_[fault].fault.target;
    if (target != "any") { return; }
    target = instance;
    records_[fault].target = instance;
}

void Campaign::begin(std::size_t fault, std::int64_t now) {
    if (records_[fault].began >= 0) { return; }
    records_[fault].began = now;
    note(fault, now, true, fault_type(plan_[fault].fault.kind).begin(chaos_, plan_[fault]));
}

void Campaign::end(std::size_t fault, std::int64_t now) {
    if (records_[fault].began < 0 || records_[fault].ended >= 0) { return; }
    records_[fault].ended = now;
    const auto end = fault_type(plan_[fault].fault.kind).end;
    note(fault, now, false, end != nullptr ? end(chaos_, plan_[fault]) : std::string());
}

void Campaign::end(const std::string& id, std::int64_t now) {
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        if (plan_[i].id == id) { end(i, now); }
    }
}

void Campaign::heal_all(std::int64_t now) {
    for (std::size_t i = 0; i < plan_.size(); ++i) { end(i, now); }
}

void Campaign::note(std::size_t fault, std::int64_t now, bool begins, const std::string& evidence) {
    FaultRecord& record = records_[fault];
    if (!evidence.empty()) { record.evidence += (record.evidence.empty() ? "" : "; ") + evidence; }
    FaultEvent event;
    event.time = now;
    event.id = record.id;
    event.kind = record.kind;
    event.target = record.target;
    event.begins = begins;
    event.planned = record.planned;
    event.evidence = evidence;
    history_.faults.push_back(std::move(event));
}

}  // namespace rushproof::simulator
