// Goal: the pure rules.  Method: tables of cases at and beyond each bound.
#include <gtest/gtest.h>

#include <string>

#include "services/inventory/domain/checks.hpp"
#include "services/inventory/domain/ledger.hpp"
#include "services/inventory/domain/reservation.hpp"
#include "services/inventory/domain/stock.hpp"
#include "services/inventory/inventory.hpp"
#include "services/inventory/limits.hpp"

namespace rushproof::inventory {
namespace {

TEST(Checks, SkusHaveALengthAndAnAlphabet) {
    EXPECT_TRUE(check_sku("SKU-1_a.B"));
    EXPECT_TRUE(check_sku(std::string(checks::sku_length, 'x')));
    for (const std::string& bad :
         {std::string(), std::string(checks::sku_length + 1, 'x'), std::string("a b"),
          std::string("a/b"), std::string("\xC3\xA4"), std::string("a\0b", 3)}) {
        const auto checked = check_sku(bad);
        ASSERT_FALSE(checked) << bad;
        EXPECT_EQ(checked.error().code(), "invalid");
        EXPECT_TRUE(checked.error().message().starts_with("sku ")) << checked.error().message();
    }
}

TEST(Checks, OwnersAndKeysArePrintable) {
    EXPECT_TRUE(check_owner("Alice O'Hara <a@b.c>"));
    EXPECT_FALSE(check_owner(""));
    EXPECT_FALSE(check_owner("a\nb"));
    EXPECT_TRUE(check_key(std::string(checks::key_length, '~')));
    EXPECT_FALSE(check_key(std::string(checks::key_length + 1, '~')));
    EXPECT_FALSE(check_key("\x7F"));
}

TEST(Checks, NumbersHaveRanges) {
    EXPECT_FALSE(check_quantity(0));
    EXPECT_FALSE(check_quantity(-1));
    EXPECT_EQ(check_quantity(1), Quantity(1));
    EXPECT_EQ(check_quantity(limits::quantity), Quantity(limits::quantity));
    EXPECT_EQ(check_quantity(limits::quantity + 1).error().message(),
              "quantity must be from 1 to 10000");
    EXPECT_TRUE(check_on_hand(0));
    EXPECT_FALSE(check_on_hand(-1));
    EXPECT_FALSE(check_on_hand(limits::on_hand + 1));
    EXPECT_EQ(check_page_limit(0), limits::page_default);
    EXPECT_FALSE(check_page_limit(limits::page + 1));
    EXPECT_FALSE(check_page_limit(-1));
}

TEST(Checks, AnIdThatWasNeverGivenOutIsNotFound) {
    EXPECT_TRUE(check_reservation_id(std::string(36, 'a')));
    EXPECT_EQ(check_reservation_id("7").error().code(), "not-found");
}

Reservation in_state(State state) {
    Reservation reservation;
    reservation.state = state;
    return reservation;
}

TEST(AnswerLate, ARepeatIsTheSameAnswerAndAnythingElseIsNotHeld) {
    EXPECT_TRUE(answer_late(Ending::confirm, in_state(State::confirmed)));
    EXPECT_TRUE(answer_late(Ending::release, in_state(State::released)));
    for (const State state : {State::released, State::expired, State::held}) {
        const auto answer = answer_late(Ending::confirm, in_state(state));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code(), "not-held");
    }
    EXPECT_FALSE(answer_late(Ending::release, in_state(State::confirmed)));
    EXPECT_FALSE(answer_late(Ending::release, in_state(State::expired)));
}

TEST(ChangeTo, NeverGoesBelowWhatIsHeld) {
    Stock stock;
    stock.on_hand = Quantity(10);
    stock.held = Quantity(4);
    EXPECT_EQ(change_to(stock, Quantity(4)), Quantity(-6));
    EXPECT_EQ(change_to(stock, Quantity(12)), Quantity(2));
    EXPECT_EQ(change_to(stock, Quantity(10)), Quantity(0));
    EXPECT_EQ(change_to(stock, Quantity(3)).error().code(), "conflict");
}

TEST(Words, AreReadBack) {
    for (const Strategy strategy : all_strategies()) {
        EXPECT_EQ(parse_strategy(to_string(strategy)), strategy);
    }
    EXPECT_FALSE(parse_strategy("hopeful"));
    for (const State state : {State::held, State::confirmed, State::released, State::expired}) {
        EXPECT_EQ(parse_state(to_string(state)), state);
    }
    EXPECT_FALSE(parse_state(""));
    EXPECT_EQ(to_string(LedgerKind::expire), "expire");
}

}  // namespace
}  // namespace rushproof::inventory
