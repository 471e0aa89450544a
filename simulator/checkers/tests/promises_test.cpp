// Goal: every check catches its planted bugs, says so in words with a witness of a few operations,
// and does not flag the correct twin.
// Method: pairs of small histories, told as JSON lines, that differ in the bug alone.
#include <gtest/gtest.h>

#include "simulator/checkers/tests/expectations.hpp"

namespace rushproof::simulator {
namespace {

TEST(NoOversell, CountsAcknowledgedHolds) {
    Story story;
    story.reserve(1, 4, "r-1", 1).reserve(2, 5, "r-2", 1);
    expect_pass("no-oversell", story);
    story.reserve(3, 12'431, "r-3", 1);
    expect_fail("no-oversell", story,
                "at t=12.431 s 3 units of SKU-1 were acknowledged as held or sold in 3 "
                "reservations, and there were only 2: r-3, r-2, r-1",
                {"t=0.001 s to 0.004 s  client 0  reserve 1 of SKU-1 -> ok (r-1)",
                 "t=0.002 s to 0.005 s  client 1  reserve 1 of SKU-1 -> ok (r-2)",
                 "t=0.003 s to 12.431 s  client 2  reserve 1 of SKU-1 -> ok (r-3)"});
}

TEST(NoOversell, ReleasesAndRestocksMakeRoom) {
    Story released;
    released.reserve(1, 2, "r-1", 2).end("release", 5, 9, "r-1").reserve(4, 6, "r-2", 2);
    expect_pass("no-oversell", released);
    Story too_late;
    too_late.reserve(1, 2, "r-1", 2).end("release", 7, 9, "r-1").reserve(4, 6, "r-2", 2);
    EXPECT_EQ(check("no-oversell", too_late).verdict, Verdict::fail);
    Story restocked;
    restocked.reserve(1, 2, "r-1", 2).restock(3, 5, 2, "info").reserve(4, 6, "r-2", 2);
    expect_pass("no-oversell", restocked);
}

TEST(NoOversell, AConfirmedUnitNeverComesBack) {
    Story story(R"("stock":{"SKU-1":1})");
    story.reserve(1, 2, "r-1", 1).end("confirm", 3, 4, "r-1").end("expire", 5, 6, "r-1");
    expect_pass("no-oversell", story);
    story.reserve(7, 8, "r-2", 1);
    EXPECT_EQ(check("no-oversell", story).verdict, Verdict::fail);
}

TEST(NoOversell, UnknownReservesCountOnlyWithEvidence) {
    Story story(R"("stock":{"SKU-1":1})");
    story.reserve(1, 2, "r-1", 1).reserve(3, 4, "r-2", 1, "info");
    expect_pass("no-oversell", story);
    story.end("confirm", 5, 6, "r-2");
    EXPECT_EQ(check("no-oversell", story).verdict, Verdict::fail);
}

TEST(NoOversell, BasketsTakeFromEverySku) {
    Story story(R"("stock":{"SKU-1":1,"SKU-2":2})");
    story.basket(1, 2, "b-1", {"SKU-1", "SKU-2"}).basket(3, 4, "b-2", {"SKU-1", "SKU-2"}, "SKU-1");
    expect_pass("no-oversell", story);
    story.basket(5, 6, "b-3", {"SKU-2", "SKU-1"});
    const CheckResult result = check("no-oversell", story);
    EXPECT_EQ(result.verdict, Verdict::fail);
    EXPECT_NE(result.sentence.find("SKU-1"), std::string::npos);
    EXPECT_EQ(describe_witness(story.history(), result).back(),
              "t=0.005 s to 0.006 s  client 2  reserve 1 of SKU-2 and 1 of SKU-1 -> ok (b-3)");
}

// Two SKUs in one basket; the ledger is told by the tests.
Story audited_basket(std::string_view answer = "ok") {
    Story story(R"("stock":{"SKU-1":1,"SKU-2":2})");
    return story.basket(1, 4, "b-1", {"SKU-1", "SKU-2"}, answer);
}

TEST(AllOrNothing, TheLedgerHasTheWholeBasketOrNothingOfIt) {
    for (const std::string_view answer : {"ok", "info", "SKU-1"}) {
        Story whole = audited_basket(answer);
        whole.ledger("reserve", "b-1", 1, 2, "SKU-2").ledger("reserve", "b-1", 1, 2, "SKU-1");
        expect_pass("all-or-nothing", whole);
    }
    Story nothing = audited_basket("info");
    nothing.stock(1, 0, 0, "SKU-1").stock(2, 0, 0, "SKU-2");
    expect_pass("all-or-nothing", nothing);
    Story half = audited_basket("info");
    half.ledger("reserve", "b-1", 1, 2, "SKU-2");
    expect_fail("all-or-nothing", half,
                "basket b-1 asked for 1 of SKU-1 and 1 of SKU-2, and the ledger has its reserve of "
                "1 of SKU-2",
                {"t=0.001 s to 0.004 s  client 0  reserve 1 of SKU-1 and 1 of SKU-2 -> unknown "
                 "(b-1)"});
    Story less = audited_basket();
    less.ledger("reserve", "b-1", 2, 2, "SKU-2").ledger("reserve", "b-1", 1, 2, "SKU-1");
    EXPECT_EQ(check("all-or-nothing", less).verdict, Verdict::fail);
}

TEST(AllOrNothing, ABasketEndsWholeAndAtOnce) {
    for (const std::string_view end : {"confirm", "release", "expire"}) {
        Story story = audited_basket();
        story.end(end, 5, 9, "b-1");
        story.ledger("reserve", "b-1", 1, 2, "SKU-1").ledger("reserve", "b-1", 1, 2, "SKU-2");
        story.ledger(end, "b-1", 1, 6, "SKU-1");
        Story later = story;
        Story whole = story;
        expect_pass("all-or-nothing", whole.ledger(end, "b-1", 1, 6, "SKU-2"));
        expect_fail("all-or-nothing", later.ledger(end, "b-1", 1, 8, "SKU-2"),
                    "basket b-1 was not taken at once: the ledger has its " + std::string(end) +
                        " by transactions that began at t=0.006 s and t=0.008 s",
                    {"t=0.001 s to 0.004 s  client 0  reserve 1 of SKU-1 and 1 of SKU-2 -> ok "
                     "(b-1)",
                     "t=0.005 s to 0.009 s  client 1  " + std::string(end) + " b-1 -> ok"});
        EXPECT_EQ(check("all-or-nothing", story).verdict, Verdict::fail);
    }
}

TEST(ReadYourWrites, WhoWasToldFindsItSo) {
    Story story;
    story.reserve(1, 2, "r-1", 1).find(3, 4, "r-1", "held");
    story.end("confirm", 5, 6, "r-1").find(7, 8, "r-1", "confirmed");
    story.reserve(1, 2, "r-2", 1).find(3, 4, "r-2", "expired");
    // Another client's answer, and one that never came, promise nothing.
    story.reserve(1, 2, "r-3", 1, "none").reserve(5, 6, "r-4", 1).find(7, 8, "r-1", "absent");
    expect_pass("read-your-writes", story);
}

TEST(ReadYourWrites, AnOlderStateIsAViolation) {
    Story absent;
    absent.reserve(1, 2, "r-1", 1).find(3, 4, "r-1", "absent");
    expect_fail("read-your-writes", absent,
                "client 0 was told at t=0.002 s that its reserve of r-1 had worked, and at "
                "t=0.004 s found it absent",
                {"t=0.001 s to 0.002 s  client 0  reserve 1 of SKU-1 -> ok (r-1)",
                 "t=0.003 s to 0.004 s  client 0  find r-1 -> absent"});
    for (const std::string_view end : {"confirm", "release"}) {
        Story held;
        held.reserve(1, 2, "r-1", 1).end(end, 3, 4, "r-1").find(5, 6, "r-1", "held");
        EXPECT_EQ(check("read-your-writes", held).verdict, Verdict::fail);
    }
    Story basket(R"("stock":{"SKU-1":1,"SKU-2":1})");
    basket.basket(1, 2, "b-1", {"SKU-1", "SKU-2"}).find(3, 4, "b-1", "absent");
    EXPECT_EQ(check("read-your-writes", basket).verdict, Verdict::fail);
}

TEST(NoOversell, StockThatIsNotGivenIsNotJudged) {
    Story story;
    story.reserve(1, 2, "r-1", 9, "ok", "SKU-9");
    expect_unknown("no-oversell", story,
                   "the header gives no stock for SKU-9: say there how many there were");
}

TEST(Linearizable, RefusalsNeedAReason) {
    Story story;
    story.reserve(1, 2, "r-1", 1).reserve(3, 4, "r-2", 1).reserve(5, 6, "r-3", 1, "insufficient");
    expect_pass("linearizable", story);
    Story wrong;
    wrong.reserve(1, 2, "r-1", 1).reserve(5, 6, "r-3", 1, "insufficient").read(7, 8, 1);
    expect_fail("linearizable", wrong,
                "by t=0.006 s a reservation of 1 was refused for SKU-1, which fits no order of the "
                "operations: 1 available before, and nothing else was under way",
                {"t=0.005 s to 0.006 s  client 1  reserve 1 of SKU-1 -> insufficient (r-3)"});
}

TEST(Linearizable, ReadsAreExact) {
    Story story;
    story.reserve(1, 9, "r-1", 1).read(2, 3, 1).read(4, 5, 1);
    expect_pass("linearizable", story);
    Story back_and_forth;
    back_and_forth.reserve(1, 9, "r-1", 1).read(2, 3, 1).read(4, 5, 2);
    EXPECT_EQ(check("linearizable", back_and_forth).verdict, Verdict::fail);
}

TEST(Linearizable, EqualTimesAreConcurrent) {
    Story story(R"("stock":{"SKU-1":1})");
    story.reserve(1, 2, "r-1", 1).reserve(4, 5, "r-2", 1).end("release", 5, 9, "r-1");
    expect_pass("linearizable", story);
}

TEST(Linearizable, UnknownOutcomesMayHaveHappened) {
    Story story;
    story.reserve(1, 2, "r-1", 2, "info").reserve(3, 4, "r-2", 1, "insufficient").read(5, 6, 0);
    expect_pass("linearizable", story);
    story.read(7, 8, 2);
    EXPECT_EQ(check("linearizable", story).verdict, Verdict::fail);
}

TEST(Linearizable, TheLedgerResolvesUnknownOutcomes) {
    Story happened(R"("stock":{"SKU-1":2},"clock_bound":1000000)");
    happened.reserve(1, 2, "r-1", 2, "info").read(6, 7, 2);
    expect_pass("linearizable", happened);
    happened.ledger("reserve", "r-1", 2, 4).stock(2, 2, 0);
    EXPECT_EQ(check("linearizable", happened).verdict, Verdict::fail);

    Story did_not;
    did_not.reserve(1, 2, "r-1", 2, "info").read(6, 7, 0).stock(2, 0, 0);
    EXPECT_EQ(check("linearizable", did_not).verdict, Verdict::fail);
}

TEST(Linearizable, AGiveBackFollowsItsReserve) {
    // The unknown reserve must have come before the release, and needs room for a moment.
    Story story(R"("stock":{"SKU-1":1})");
    story.reserve(1, 2, "r-1", 1, "info").end("release", 3, 4, "r-1").reserve(2, 8, "r-2", 1);
    expect_pass("linearizable", story);
    Story no_room(R"("stock":{"SKU-1":1})");
    no_room.reserve(0, 0, "r-2", 1).reserve(1, 2, "r-1", 1, "info").end("release", 3, 4, "r-1");
    EXPECT_EQ(check("linearizable", no_room).verdict, Verdict::fail);
}

TEST(Linearizable, ReservationsMayExpireUnseenAfterTheirTime) {
    Story early(R"("stock":{"SKU-1":1},"ttl":10000000)");
    early.reserve(1, 2, "r-1", 1).reserve(5, 6, "r-2", 1);
    EXPECT_EQ(check("linearizable", early).verdict, Verdict::fail);
    Story late(R"("stock":{"SKU-1":1},"ttl":10000000)");
    late.reserve(1, 2, "r-1", 1).reserve(15, 16, "r-2", 1);
    expect_pass("linearizable", late);
}

TEST(Linearizable, ARefusedBasketTellsOfOneSkuOnly) {
    Story story(R"("stock":{"SKU-1":1,"SKU-2":0})");
    story.basket(1, 2, "b-1", {"SKU-1", "SKU-2"}, "SKU-2");
    expect_pass("linearizable", story);
    Story wrong(R"("stock":{"SKU-1":1,"SKU-2":0})");
    wrong.basket(1, 2, "b-1", {"SKU-1", "SKU-2"}, "SKU-1");
    EXPECT_EQ(check("linearizable", wrong).verdict, Verdict::fail);
}

TEST(Linearizable, GivesUpWithAReason) {
    Story story(R"("stock":{"SKU-1":9})");
    for (int i = 0; i < 8; ++i) story.reserve(1, 2, "r-" + std::to_string(i), 1, "info");
    story.read(3, 4, 3);
    expect_pass("linearizable", story);
    expect_unknown("linearizable", story,
                   "SKU-1: the search gave up after 3 steps; of 8 operations the outcome is "
                   "not known: r-0, r-1, r-2, r-3, r-4 and 3 more",
                   {.steps_max = 2});
}

TEST(Linearizable, ContradictionsOfUnknownReservationsAreNotBlamed) {
    Story story(R"("stock":{"SKU-1":1})");
    story.reserve(1, 2, "r-1", 1).end("release", 3, 4, "r-9").reserve(5, 6, "r-2", 1);
    expect_unknown("linearizable", story,
                   "the answers contradict each other, but nobody reserved r-9, so it is not known "
                   "what their end gave back");
}

Story audited() {
    Story story;
    story.reserve(1, 2, "r-1", 1).end("confirm", 3, 4, "r-1").reserve(5, 6, "r-2", 1);
    return story;
}

TEST(Conservation, BooksBalance) {
    Story story = audited();
    story.ledger("reserve", "r-1", 1, 1).ledger("confirm", "r-1", 1, 3);
    story.ledger("reserve", "r-2", 1, 5).stock(1, 1, 1);
    expect_pass("conservation", story);
    Story seeded = audited();
    seeded.ledger("stock", "", 2, 0).ledger("reserve", "r-1", 1, 1).ledger("confirm", "r-1", 1, 3);
    seeded.ledger("reserve", "r-2", 1, 5).stock(1, 1, 1);
    expect_pass("conservation", seeded);
    Story restocked = audited();
    restocked.ledger("reserve", "r-1", 1, 1).ledger("confirm", "r-1", 1, 3);
    restocked.ledger("reserve", "r-2", 1, 5).ledger("stock", "", 5, 5).stock(6, 1, 1);
    expect_pass("conservation", restocked);
}

TEST(Conservation, LostUnitsAreCounted) {
    Story story = audited();
    story.ledger("reserve", "r-1", 1, 1).ledger("confirm", "r-1", 1, 3);
    story.ledger("reserve", "r-2", 1, 5).stock(2, 1, 1);
    expect_fail("conservation", story,
                "SKU-1: on_hand + sold is 3, but initial stock + changes is 2 (+1)",
                {"t=0.001 s to 0.002 s  client 0  reserve 1 of SKU-1 -> ok (r-1)",
                 "t=0.005 s to 0.006 s  client 2  reserve 1 of SKU-1 -> ok (r-2)"});
    Story held = audited();
    held.ledger("reserve", "r-1", 1, 1).ledger("confirm", "r-1", 1, 3);
    held.ledger("reserve", "r-2", 1, 5).stock(1, 0, 1);
    EXPECT_EQ(check("conservation", held).sentence,
              "SKU-1: held is 0, but reserves - confirms - releases - expiries in the ledger is 1 "
              "(-1)");
}

TEST(AcknowledgedSurvives, WhatIsLostIsNamed) {
    Story kept = audited();
    kept.ledger("reserve", "r-1", 1, 1).ledger("confirm", "r-1", 1, 3);
    kept.ledger("reserve", "r-2", 1, 5).stock(1, 1, 1);
    kept.reserve(7, 8, "r-3", 1, "info").reserve(7, 9, "r-4", 1, "failed");
    expect_pass("acknowledged-survives", kept);
    Story tail = audited();
    tail.ledger("reserve", "r-1", 1, 1).stock(2, 1, 0);
    expect_fail("acknowledged-survives", tail,
                "lost 2 of 3 acknowledged operations: the confirm of r-1 (at t=0.004 s), the "
                "reserve of r-2 (1 of SKU-1, at t=0.006 s)",
                {"t=0.003 s to 0.004 s  client 1  confirm r-1 -> ok",
                 "t=0.005 s to 0.006 s  client 2  reserve 1 of SKU-1 -> ok (r-2)"});
    EXPECT_EQ(check("acknowledged-survives", tail).violations, 2u);
    expect_pass("conservation", tail);
}

TEST(AcknowledgedSurvives, NoPartIsLost) {
    Story other = audited();
    other.ledger("reserve", "r-1", 1, 1).ledger("confirm", "r-1", 1, 3);
    other.ledger("reserve", "r-2", 2, 5).stock(1, 2, 1);
    EXPECT_EQ(check("acknowledged-survives", other).sentence,
              "lost 1 of 3 acknowledged operations: the reserve of r-2 (1 of SKU-1, of which the "
              "ledger has 2, at t=0.006 s)");
    Story basket(R"("stock":{"SKU-1":2,"SKU-2":2})");
    basket.basket(1, 2, "b-1", {"SKU-1", "SKU-2"}).ledger("reserve", "b-1", 1, 1);
    basket.stock(2, 1, 0).stock(2, 0, 0, "SKU-2");
    EXPECT_EQ(check("acknowledged-survives", basket).sentence,
              "lost 1 of 1 acknowledged operation: the reserve of b-1 (1 of SKU-2, at t=0.002 "
              "s)");
}

TEST(Conservation, NothingHappensUnasked) {
    Story ghost;
    ghost.reserve(1, 2, "r-1", 1, "info").ledger("reserve", "r-1", 1, 1).stock(2, 1, 0);
    expect_pass("conservation", ghost);
    ghost.ledger("reserve", "r-7", 1, 2).stock(2, 2, 0);
    EXPECT_EQ(check("conservation", ghost).sentence,
              "ghost: the ledger has a reserve of r-7 on SKU-1 (number 2) that nobody asked for");
    Story denied;
    denied.reserve(1, 2, "r-1", 1, "failed").ledger("reserve", "r-1", 1, 1).stock(2, 1, 0);
    expect_fail("conservation", denied,
                "ghost: the ledger has a reserve of r-1 on SKU-1 (number 1), and the client was "
                "told that it failed",
                {"t=0.001 s to 0.002 s  client 0  reserve 1 of SKU-1 -> failed (r-1)"});
}

TEST(Conservation, MissingColumnsAreNotJudged) {
    Story story;
    story.ledger("stock", "", 5, 0);
    expect_unknown("conservation", story,
                   "the audit has the ledger of SKU-1 but not its final stock");
}

TEST(Lifecycle, AReservationEndsOnce) {
    Story story;
    story.reserve(1, 2, "r-1", 1).end("confirm", 3, 5, "r-1").end("confirm", 4, 6, "r-1");
    story.end("release", 7, 8, "r-1", "failed").reserve(1, 2, "r-2", 1);
    story.end("release", 3, 4, "r-2", "info").end("expire", 5, 6, "r-2");
    expect_pass("lifecycle", story);
    Story twice;
    twice.reserve(1, 2, "r-1", 1).end("confirm", 3, 4, "r-1").end("expire", 5, 6, "r-1");
    expect_fail("lifecycle", twice, "r-1 was confirmed by t=0.004 s and expired by t=0.006 s",
                {"t=0.001 s to 0.002 s  client 0  reserve 1 of SKU-1 -> ok (r-1)",
                 "t=0.003 s to 0.004 s  client 1  confirm r-1 -> ok",
                 "t=0.005 s to 0.006 s  client 2  expire r-1 -> ok"});
    Story ledger;
    ledger.reserve(1, 2, "r-1", 1).end("confirm", 3, 4, "r-1").ledger("reserve", "r-1", 1, 1);
    ledger.ledger("confirm", "r-1", 1, 3).stock(1, 0, 1);
    expect_pass("lifecycle", ledger);
    ledger.ledger("release", "r-1", 1, 3);
    EXPECT_EQ(check("lifecycle", ledger).sentence,
              "r-1 was confirmed by t=0.004 s and released (by the ledger)");
}

TEST(Lifecycle, AnExtendedReservationIsHeldForAnotherTimeToLive) {
    Story story(R"("stock":{"SKU-1":2},"ttl":10000000)");
    story.reserve(1, 3, "r-1", 1).end("extend", 8, 9, "r-1").end("extend", 9, 30, "r-1", "info");
    Story ledger = story;
    Story late = story;
    expect_pass("lifecycle", late.end("expire", 18, 18, "r-1"));
    expect_fail("lifecycle", story.end("expire", 17, 17, "r-1"),
                "r-1 expired 0.009 s at most after it was extended for another 0.010 s",
                {"t=0.001 s to 0.003 s  client 0  reserve 1 of SKU-1 -> ok (r-1)",
                 "t=0.008 s to 0.009 s  client 1  extend r-1 -> ok",
                 "t=0.017 s to 0.017 s  client 3  expire r-1 -> ok"});
    ledger.ledger("reserve", "r-1", 1, 2).ledger("expire", "r-1", 1, 17);
    EXPECT_EQ(check("lifecycle", ledger).verdict, Verdict::fail);
}

TEST(Lifecycle, WhatEndsWasHeldBefore) {
    Story story;
    story.reserve(1, 2, "r-1", 1, "info").end("confirm", 3, 4, "r-1");
    expect_pass("lifecycle", story);
    Story refused;
    refused.reserve(1, 2, "r-1", 1, "insufficient").end("confirm", 3, 4, "r-1");
    expect_fail("lifecycle", refused,
                "r-1 was confirmed by t=0.004 s, and every attempt to reserve it had failed",
                {"t=0.001 s to 0.002 s  client 0  reserve 1 of SKU-1 -> insufficient (r-1)",
                 "t=0.003 s to 0.004 s  client 1  confirm r-1 -> ok"});
    Story ghost;
    ghost.end("confirm", 3, 4, "r-1");
    EXPECT_EQ(check("lifecycle", ghost).sentence,
              "r-1 was confirmed by t=0.004 s, and nobody asked for it");
    Story before;
    before.end("release", 1, 2, "r-1").reserve(3, 4, "r-1", 1);
    EXPECT_EQ(check("lifecycle", before).sentence,
              "r-1 was released by t=0.002 s, before anybody asked for it at t=0.003 s");
    Story ledger;
    ledger.ledger("expire", "r-1", 1, 3).ledger("reserve", "r-1", 1, 4).stock(1, 0, 0);
    EXPECT_EQ(
        check("lifecycle", ledger).sentence,
        "the ledger of SKU-1 has expire of r-1 (number 1) before any reserve of it (and 1 more)");
}

TEST(Lifecycle, NothingExpiresBeforeItsTime) {
    Story story(R"("stock":{"SKU-1":2},"ttl":10000000,"clock_bound":1000000)");
    story.reserve(1, 3, "r-1", 1).end("expire", 10, 10, "r-1");
    expect_pass("lifecycle", story);
    Story early(R"("stock":{"SKU-1":2},"ttl":10000000,"clock_bound":1000000)");
    early.reserve(1, 3, "r-1", 1).end("expire", 9, 9, "r-1");
    expect_fail("lifecycle", early,
                "r-1 expired after 0.009 s at most, and was promised for 0.010 s",
                {"t=0.001 s to 0.003 s  client 0  reserve 1 of SKU-1 -> ok (r-1)",
                 "t=0.009 s to 0.009 s  client 1  expire r-1 -> ok"});
    expect_pass("lifecycle", early, {.expiry_grace = 1'000'000});

    Story ledger(R"("stock":{"SKU-1":2},"ttl":10000000)");
    ledger.reserve(1, 20, "r-1", 1).ledger("reserve", "r-1", 1, 2).ledger("expire", "r-1", 1, 12);
    expect_pass("lifecycle", ledger);
    Story ledger_early(R"("stock":{"SKU-1":2},"ttl":10000000)");
    ledger_early.reserve(1, 20, "r-1", 1).ledger("reserve", "r-1", 1, 3);
    ledger_early.ledger("expire", "r-1", 1, 12);
    EXPECT_EQ(check("lifecycle", ledger_early).sentence,
              "r-1 expired after 0.009 s at most, and was promised for 0.010 s");
}

TEST(Idempotent, OneEffectForOneKey) {
    Story story;
    story.reserve(1, 2, "r-1", 1).ledger("reserve", "r-1", 1, 1).ledger("confirm", "r-1", 1, 2);
    story.stock(1, 0, 1);
    expect_pass("idempotent", story);
    story.ledger("reserve", "r-1", 1, 3);
    expect_fail("idempotent", story,
                "r-1 has more than one reserve in the ledger of SKU-1: numbers 1 and 3",
                {"t=0.001 s to 0.002 s  client 0  reserve 1 of SKU-1 -> ok (r-1)"});
}

TEST(Idempotent, OneAnswerForOneKey) {
    Story story;
    story.reserve(1, 2, "r-1", 1, "insufficient").reserve(3, 4, "r-1", 1).reserve(5, 6, "r-1", 1);
    expect_pass("idempotent", story);
    story.reserve(7, 8, "r-1", 1, "insufficient");
    expect_fail("idempotent", story,
                "key r-1 was acknowledged at t=0.004 s, and refused when it was repeated",
                {"t=0.003 s to 0.004 s  client 1  reserve 1 of SKU-1 -> ok (r-1)",
                 "t=0.007 s to 0.008 s  client 3  reserve 1 of SKU-1 -> insufficient (r-1)"});
    Story ended;
    ended.reserve(1, 2, "r-1", 1).end("release", 3, 4, "r-1");
    ended.reserve(5, 6, "r-1", 1, "insufficient");
    expect_pass("idempotent", ended);
    Story other;
    other.reserve(1, 2, "r-1", 1).reserve(3, 4, "r-1", 2);
    EXPECT_EQ(check("idempotent", other).sentence,
              "key r-1 was acknowledged for two different requests");
}

TEST(Progress, EverybodyIsAnswered) {
    Story story;
    story.reserve(1, 2, "r-1", 1).reserve(19'000, 0, "r-2", 1, "none").read(20'000, 20'001, 1);
    expect_pass("progress", story);
    story.reserve(3, 0, "r-3", 1, "none");
    expect_fail("progress", story,
                "client 3 got no answer to the reserve of t=0.003 s, not even that it is unknown, "
                "for 19.998 s",
                {"t=0.003 s  client 3  reserve 1 of SKU-1 -> no answer (r-3)"});
}

TEST(Progress, AnswersComeAgainAfterTheLastFault) {
    Story story;
    story.read(1, 2, 2).fault(10, "kill-1", "begin").fault(5'000, "kill-1", "end");
    story.reserve(5'100, 7'000, "r-1", 1, "info").read(8'000, 8'001, 2).read(20'000, 20'001, 2);
    expect_pass("progress", story);
    Story stuck;
    stuck.read(1, 2, 2).fault(10, "kill-1", "begin").fault(5'000, "kill-1", "end");
    for (int i = 0; i < 20; ++i) {
        stuck.reserve(5'100 + 1'000 * i, 6'000 + 1'000 * i, "r-" + std::to_string(i), 1, "info");
    }
    expect_fail("progress", stuck,
                "after the end of kill-1 at t=5.000 s it took 19.900 s, to the end of the history, "
                "without an answer (and 1 more)",
                {});
    Story nothing;
    nothing.read(1, 2, 2).fault(10, "kill-1", "begin").fault(5'000, "kill-1", "end");
    expect_unknown("progress", nothing,
                   "nobody asked anything after the end of kill-1 at t=5.000 s, so recovery is not "
                   "shown: let the load go on longer than the faults");
}

TEST(Progress, NoSkuStarves) {
    Story story(R"("stock":{"SKU-1":9,"SKU-2":9})");
    for (int i = 0; i < 5; ++i) {
        story.reserve(11'000 + 10 * i, 11'005 + 10 * i, "r-" + std::to_string(i), 1, "info",
                      "SKU-2");
    }
    story.read(1, 2, 9).read(12'000, 12'001, 9);
    expect_fail("progress", story,
                "SKU-2 starves: none of 5 operations more than 10.000 s after the beginning got an "
                "answer",
                {"t=11.040 s to 11.045 s  client 4  reserve 1 of SKU-2 -> unknown (r-4)"});
}

}  // namespace
}  // namespace rushproof::simulator
