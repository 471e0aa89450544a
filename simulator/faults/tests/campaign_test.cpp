// Goal: every planned fault begins and ends once, at its time, and leaves a record with evidence.
// Method: a world that writes down what is done to it.
#include "simulator/faults/campaign.hpp"

#include <gtest/gtest.h>

#include "simulator/faults/links.hpp"

namespace rushproof::simulator {
namespace {

class Notebook final : public Chaos {
public:
    std::string kill(const std::string& i) override { return write("kill " + i); }
    std::string terminate(const std::string& i) override { return write("terminate " + i); }
    std::string start(const std::string& i) override { return write("start " + i); }
    std::string pause(const std::string& i) override { return write("pause " + i); }
    std::string resume(const std::string& i) override { return write("resume " + i); }
    std::string trouble_links(const LinkTrouble& t) override {
        return write((t.hold ? "hold " : "delay ") + t.id);
    }
    std::string heal_links(const std::string& id) override { return write("heal " + id); }
    std::string step_wall_clock(const std::string& i, Duration by) override {
        return write("step " + i + " " + std::to_string(by.count()));
    }
    std::string set_drift(const std::string& i, std::int64_t ppm) override {
        return write("drift " + i + " " + std::to_string(ppm));
    }
    std::string lose_commit_answers(const std::string& id, std::uint32_t) override {
        return write("lose " + id);
    }
    std::string heal_commits(const std::string& id) override { return write("keep " + id); }
    std::string terminate_backends(const std::string& s) override {
        return write("terminate backends of " + s);
    }
    std::string promote(const Promotion& p) override { return write("promote " + p.id); }
    std::string rejoin(const std::string& id) override { return write("rejoin " + id); }
    std::string shorten_lock_waits(const std::string& id, const std::string&, Duration) override {
        return write("shorten " + id);
    }
    std::string heal_lock_waits(const std::string& id) override { return write("wait " + id); }
    std::string pause_replay(const std::string& s) override { return write("pause replay " + s); }
    std::string resume_replay(const std::string& s) override { return write("replay " + s); }
    std::string trouble_disk(const DiskTrouble& t) override {
        return write((t.full ? "fill " : "slow ") + t.id);
    }
    std::string heal_disk(const std::string& id) override { return write("empty " + id); }
    std::string trouble_broker(const BrokerTrouble& t) override {
        return write(std::string(to_string(t.effect)) + " of " + t.broker + " for " + t.id);
    }
    std::string heal_broker(const BrokerTrouble& t) override { return write("heal " + t.broker); }
    std::string switch_queue(const SwitchOrder& o) override {
        return write("switch to " + o.to + " for " + o.id);
    }
    std::string end_switch(const std::string& id) override { return write("switched " + id); }

    std::vector<std::string> lines;

private:
    std::string write(std::string line) {
        lines.push_back(line);
        return line;
    }
};

PlannedFault planned(FaultKind kind, std::string id, Duration at, Duration duration) {
    PlannedFault fault;
    fault.id = std::move(id);
    fault.at = at;
    fault.duration = duration;
    fault.fault.kind = kind;
    fault.fault.target = "inventory/0";
    fault.fault.offset = Duration(5);
    fault.fault.restart_after = Duration(70);
    return fault;
}

TEST(Campaign, EveryKindBeginsAndEnds) {
    for (const FaultType* type : fault_types()) {
        Notebook notebook;
        History history;
        Campaign campaign({planned(type->kind, "f", Duration(10), Duration(20))}, notebook,
                          history);
        for (const auto& moment : campaign.moments()) {
            const auto now = moment.at.count();
            moment.begins ? campaign.begin(moment.fault, now) : campaign.end(moment.fault, now);
        }
        ASSERT_EQ(notebook.lines.size(), type->end == nullptr ? 1u : 2u) << to_string(type->kind);
        EXPECT_EQ(campaign.records()[0].began, 10);
        EXPECT_GE(campaign.records()[0].ended, 10);
        const std::string& begun = notebook.lines.front();
        EXPECT_EQ(campaign.records()[0].evidence,
                  type->end == nullptr ? begun : begun + "; " + notebook.lines.back());
        EXPECT_EQ(history.faults.size(), 2u);
        EXPECT_FALSE(type->sentence.empty());
    }
}

TEST(Campaign, KilledInstancesComeBackAfterTheirRestartTime) {
    Notebook notebook;
    History history;
    const Campaign campaign({planned(FaultKind::kill, "k", Duration(10), Duration(20))}, notebook,
                            history);
    EXPECT_EQ(campaign.moments().back().at, Duration(80));
}

TEST(Campaign, WhatABrokerDoesLastsAsItsEffectDoes) {
    const std::vector<std::pair<BrokerEffect, Duration>> expected{
        {BrokerEffect::redeliver, Duration(10)},
        {BrokerEffect::drop_ack, Duration(30)},
        {BrokerEffect::leader_change, Duration(30)},
        {BrokerEffect::power_loss, Duration(80)}};
    for (const auto& [effect, end] : expected) {
        Notebook notebook;
        History history;
        PlannedFault fault = planned(FaultKind::broker, "b", Duration(10), Duration(20));
        fault.fault.effect = effect;
        const Campaign campaign({fault}, notebook, history);
        EXPECT_EQ(campaign.moments().back().at, end) << to_string(effect);
    }
}

TEST(Campaign, HealAllEndsOnlyWhatIsUnderWay) {
    Notebook notebook;
    History history;
    Campaign campaign({planned(FaultKind::pause, "a", Duration(1), Duration(5)),
                       planned(FaultKind::pause, "b", Duration(1), Duration(5)),
                       planned(FaultKind::pause, "c", Duration(1), Duration(5))},
                      notebook, history);
    campaign.begin(0, 1);
    campaign.end(0, 6);
    campaign.begin(1, 1);
    campaign.heal_all(9);
    EXPECT_EQ(notebook.lines.size(), 4u);
    EXPECT_EQ(campaign.records()[1].ended, 9);
    EXPECT_EQ(campaign.records()[2].began, -1);
}

TEST(Campaign, FaultsAtAPointWaitForIt) {
    Notebook notebook;
    History history;
    PlannedFault fault = planned(FaultKind::kill, "p", Duration(0), Duration(0));
    fault.at_point = AtPoint{"inventory.reserve/commit:before", 2};
    const Campaign campaign({fault}, notebook, history);
    EXPECT_TRUE(campaign.moments().empty());
}

TEST(Campaign, AFaultAboutAnyIsAboutWhoeverReachedItsPoint) {
    Notebook notebook;
    History history;
    PlannedFault any = planned(FaultKind::kill, "p", Duration(0), Duration(0));
    any.at_point = AtPoint{"inventory.reserve/commit:before", 2};
    PlannedFault other = any;
    any.fault.target = "any";
    Campaign campaign({any, other}, notebook, history);
    campaign.aim(0, "inventory/1");
    campaign.aim(1, "inventory/1");
    EXPECT_EQ(campaign.records()[0].target, "inventory/1");
    EXPECT_EQ(campaign.plan()[0].fault.target, "inventory/1");
    EXPECT_EQ(campaign.plan()[1].fault.target, "inventory/0");
}

TEST(Links, DirectionIsSeenFromTheTarget) {
    using Links = std::vector<std::pair<std::string, std::string>>;
    Fault fault;
    fault.target = "inventory/0";
    EXPECT_EQ(links_of(fault), (Links{{"", "inventory/0"}, {"inventory/0", ""}}));
    fault.direction = Direction::in;
    EXPECT_EQ(links_of(fault), (Links{{"", "inventory/0"}}));
    fault.direction = Direction::out;
    fault.between = {"gateway", "inventory/1"};
    EXPECT_EQ(links_of(fault), (Links{{"gateway", "inventory/1"}}));
}

}  // namespace
}  // namespace rushproof::simulator
