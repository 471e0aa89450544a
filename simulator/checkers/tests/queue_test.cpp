// Goal: the checks of messages and queues catch their planted bugs, say so in words, and do not
// flag the correct twin. Method: pairs of small histories, told as JSON lines, that differ in the
// bug alone.
#include <gtest/gtest.h>

#include "simulator/checkers/tests/expectations.hpp"

namespace rushproof::simulator {
namespace {

Story story_of_messages() { return Story("\"seed\":1"); }

TEST(AcceptedIsProcessed, ExactlyOnce) {
    Story story("\"seed\":1");
    story.enqueue(1, 2, "m-1", "k").enqueue(1, 3, "m-2", "k", "info").process(4, "m-1", "k");
    story.enqueue(5, 6, "m-3", "k", "failed")
        .enqueue(5, 6, "m-4", "k", "info")
        .process(7, "m-4", "k");
    expect_pass("accepted-is-processed", story);
    story.enqueue(8, 9, "m-5", "k").process(10, "m-1", "k").process(11, "m-3", "k");
    expect_fail("accepted-is-processed", story,
                "lost 1, doubled 1, ghosts 1 at 2 accepted messages: m-1 was processed 2 times "
                "(and 2 more)",
                {"t=0.001 s to 0.002 s  client 0  enqueue m-1 of k -> ok",
                 "t=0.004 s  client 2  process m-1 of k -> ok",
                 "t=0.010 s  client 7  process m-1 of k -> ok"});
}

TEST(PerKeyOrder, FollowsTheOrderOfSending) {
    Story story("\"seed\":1");
    story.enqueue(1, 2, "m-1", "k").enqueue(3, 4, "m-2", "k").enqueue(3, 5, "m-3", "k");
    story.process(6, "m-1", "k").process(7, "m-3", "k").process(8, "m-2", "k");
    expect_pass("per-key-order", story);
    Story other_key("\"seed\":1");
    other_key.enqueue(1, 2, "m-1", "k").enqueue(3, 4, "m-2", "l");
    other_key.process(6, "m-2", "l").process(7, "m-1", "k");
    expect_pass("per-key-order", other_key);
    Story wrong("\"seed\":1");
    wrong.enqueue(1, 2, "m-1", "k").enqueue(3, 4, "m-2", "k");
    wrong.process(6, "m-2", "k").process(7, "m-1", "k");
    expect_fail("per-key-order", wrong,
                "key k: m-1 was accepted at t=0.002 s, m-2 was sent later, and was processed first",
                {"t=0.001 s to 0.002 s  client 0  enqueue m-1 of k -> ok",
                 "t=0.003 s to 0.004 s  client 1  enqueue m-2 of k -> ok",
                 "t=0.006 s  client 2  process m-2 of k -> ok",
                 "t=0.007 s  client 3  process m-1 of k -> ok"});
}

TEST(AcceptedIsProcessed, WhatWasSetAsideIsNotLost) {
    Story story = story_of_messages();
    story.enqueue(1, 2, "m-1", "k").enqueue(3, 4, "m-2", "k");
    story.process(5, "m-1", "k").reject(6, "m-2", "k");
    EXPECT_EQ(
        check("accepted-is-processed", story).sentence,
        "2 accepted messages: each had exactly one effect, but for 1 set aside with a reason");
    expect_pass("accepted-is-processed", story);
    // Replayed later, it is like any other.
    expect_pass("accepted-is-processed", story.process(8, "m-2", "k"));
    story.process(9, "m-2", "k");
    EXPECT_EQ(check("accepted-is-processed", story).verdict, Verdict::fail);
}

Story switched() {
    Story story = story_of_messages();
    story.enqueue(1, 2, "m-1", "k").process(3, "m-1", "k");
    story.enqueue(8, 9, "m-2", "k").enqueue(12, 13, "m-3", "k");
    story.switch_queue(10, 20, "memory", "nats", "ok", 1, 1);
    return story.process(14, "m-2", "k");
}

TEST(SwitchLosesNothing, WhatWasCarriedOverHasOneEffect) {
    Story good = switched();
    good.process(21, "m-3", "k").enqueue(30, 31, "m-4", "k");
    expect_pass("switch-loses-nothing", good);
    EXPECT_EQ(check("switch-loses-nothing", good).sentence,
              "2 messages around 1 switch: each had one effect, in order; switch-queue-1 from "
              "memory to nats in 0.010 s, 1 carried over");
    // m-4 came after the switch: to be lost is no fault of it.
    EXPECT_EQ(check("accepted-is-processed", good).verdict, Verdict::fail);

    expect_fail("switch-loses-nothing", switched(),
                "switch-queue-1 from memory to nats lost m-3, accepted at t=0.013 s",
                {"t=0.012 s to 0.013 s  client 3  enqueue m-3 of k -> ok"});

    Story doubled = switched();
    doubled.process(21, "m-3", "k").process(22, "m-2", "k");
    EXPECT_EQ(check("switch-loses-nothing", doubled).sentence,
              "switch-queue-1 from memory to nats doubled m-2");
}

TEST(SwitchLosesNothing, OrderOfAKeyIsKept) {
    Story story = story_of_messages();
    story.enqueue(1, 2, "m-1", "k").enqueue(12, 13, "m-2", "k");
    story.switch_queue(10, 20, "memory", "nats");
    Story good = story;
    expect_pass("switch-loses-nothing", good.process(15, "m-1", "k").process(21, "m-2", "k"));
    // A switch without a drain: the new queue is consumed beside the old one.
    story.process(14, "m-2", "k").process(15, "m-1", "k");
    EXPECT_EQ(check("switch-loses-nothing", story).sentence,
              "switch-queue-1 from memory to nats: key k: m-1 was accepted at t=0.002 s, m-2 was "
              "sent later, and was processed first");
}

TEST(SwitchLosesNothing, AFailedSwitchGoesBack) {
    Story story = story_of_messages();
    story.switch_queue(10, 20, "memory", "nats", "fail", 1);
    story.enqueue(30, 31, "m-1", "k");
    Story good = story;
    good.process(32, "m-1", "k").switch_queue(40, 50, "memory", "nats", "ok", 3);
    expect_pass("switch-loses-nothing", good);
    EXPECT_EQ(check("switch-loses-nothing", story).violations, 2u);  // lost, and not consumed

    Story elsewhere = story;
    elsewhere.process(32, "m-1", "k").switch_queue(40, 50, "nats", "kafka", "ok", 3);
    EXPECT_EQ(check("switch-loses-nothing", elsewhere).sentence,
              "switch-queue-2 from nats to kafka began elsewhere: switch-queue-1 from memory to "
              "nats was rolled back");
    Story same_epoch = story;
    same_epoch.process(32, "m-1", "k").switch_queue(40, 50, "memory", "nats", "ok", 1);
    EXPECT_EQ(check("switch-loses-nothing", same_epoch).sentence,
              "switch-queue-2 from memory to nats left epoch 1, and switch-queue-1 from memory to "
              "nats had left 1");
}

TEST(SwitchLosesNothing, AnUnknownEndIsNoPass) {
    Story story = story_of_messages();
    story.enqueue(1, 2, "m-1", "k").process(3, "m-1", "k");
    story.switch_queue(10, 20, "memory", "nats", "info");
    expect_unknown("switch-loses-nothing", story,
                   "switch-queue-1 from memory to nats: nobody knows how it ended: the broker is "
                   "away");
}

TEST(DualWriteDivergence, WhatIsMissingIsMended) {
    CheckOptions options;
    options.divergence_settle = 5'000'000;
    Story story("\"seed\":1,\"compared\":true");
    story.enqueue(1, 2, "m-1", "k").process(3, "m-1", "k");
    story.enqueue(4, 5, "m-2", "k").process(9, "m-2", "k");
    expect_pass("dual-write-divergence", story, options);
    expect_pass("dual-write-divergence", story.divergence(2, "m-1", "repaired"), options);
    // Not yet old enough.
    expect_pass("dual-write-divergence", story.divergence(5, "m-2", "open"), options);
    story.divergence(2, "m-1", "open");
    expect_fail("dual-write-divergence", story,
                "1 message stayed on one part only, 0 may: m-1 is on nats and not on kafka since "
                "t=0.002 s",
                {"t=0.001 s to 0.002 s  client 0  enqueue m-1 of k -> ok",
                 "t=0.003 s  client 1  process m-1 of k -> ok"},
                options);
    options.divergences_max = 1;
    expect_pass("dual-write-divergence", story, options);
    EXPECT_EQ(
        check("dual-write-divergence", story.divergence(8, "m-2", "unrecorded"), options).sentence,
        "m-2 is on nats and not on kafka, and nobody recorded it");
}

TEST(Delivery, IsAsPromised) {
    CheckOptions options;
    Story lost = story_of_messages();
    lost.enqueue(1, 2, "m-1", "k").enqueue(3, 4, "m-2", "k").process(5, "m-1", "k");
    Story doubled = lost;
    doubled.process(6, "m-2", "k").process(7, "m-2", "k");
    const auto verdicts = [&](Guarantee guarantee, std::uint64_t duplicates) {
        options.guarantee = guarantee;
        options.duplicates_max = duplicates;
        return std::pair(check("delivery", lost, options).verdict,
                         check("delivery", doubled, options).verdict);
    };
    EXPECT_EQ(verdicts(Guarantee::exactly_once, 0), std::pair(Verdict::fail, Verdict::fail));
    EXPECT_EQ(verdicts(Guarantee::at_most_once, 0), std::pair(Verdict::pass, Verdict::fail));
    EXPECT_EQ(verdicts(Guarantee::at_least_once, 500'000), std::pair(Verdict::fail, Verdict::pass));
    EXPECT_EQ(verdicts(Guarantee::at_least_once, 499'999), std::pair(Verdict::fail, Verdict::fail));
    EXPECT_EQ(check("delivery", doubled, options).sentence,
              "1 of 2 messages were processed more than once, m-2 the last");
}

}  // namespace
}  // namespace rushproof::simulator
