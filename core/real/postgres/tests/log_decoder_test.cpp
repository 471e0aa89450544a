// Goal: the log's messages are read as PostgreSQL documents them, rows come by whole transactions,
// and what is cut or foreign is refused.
// Method: messages put together by hand; every one is also cut at each of its bytes.
#include "core/real/postgres/log_decoder.hpp"

#include <gtest/gtest.h>

#include "core/real/postgres/wire.hpp"

namespace rushproof::postgres {
namespace {

class Message {
public:
    explicit Message(char kind) { text_ += kind; }
    template <class Number>
    Message& number(Number value) {
        append_big_endian(text_, value);
        return *this;
    }
    Message& name(const std::string& name) {
        text_ += name;
        text_ += '\0';
        return *this;
    }
    Message& bytes(const std::string& bytes) {
        text_ += bytes;
        return *this;
    }
    std::string text() const { return text_; }

private:
    std::string text_;
};

std::string begin() {
    return Message('B').number(std::uint64_t{500}).number(std::uint64_t{0}).number(7u).text();
}
std::string relation() {
    Message message('R');
    message.number(16'385u).name("inventory").name("outbox").bytes("d").number(std::uint16_t{3});
    for (const char* column : {"number", "body", "reason"}) {
        message.number(std::uint8_t{0}).name(column).number(20u).number(0xffffffffu);
    }
    return message.text();
}
std::string insert(const std::string& number, const std::string& body) {
    Message message('I');
    message.number(16'385u).bytes("N").number(std::uint16_t{3});
    for (const std::string& value : {number, body}) {
        message.bytes("t").number(static_cast<std::uint32_t>(value.size())).bytes(value);
    }
    message.bytes("n");
    return message.text();
}
std::string commit(std::uint64_t end, std::int64_t at) {
    return Message('C')
        .number(std::uint8_t{0})
        .number(end - 8)
        .number(end)
        .number(static_cast<std::uint64_t>(at))
        .text();
}

using Columns = std::vector<std::pair<std::string, std::string>>;

TEST(LogDecoder, GivesRowsWhenTheirTransactionHasEnded) {
    LogDecoder decoder;
    EXPECT_TRUE(decoder.read(begin(), 0));
    EXPECT_TRUE(decoder.read(relation(), 0));
    EXPECT_TRUE(decoder.read(insert("1", "{}"), 0));
    EXPECT_TRUE(decoder.read(insert("2", ""), 0));
    EXPECT_TRUE(decoder.in_transaction());
    EXPECT_EQ(decoder.ready(), 0u);
    EXPECT_EQ(decoder.end(), 0u);
    EXPECT_TRUE(decoder.read(commit(508, 1'000), 251'000));
    EXPECT_FALSE(decoder.in_transaction());
    EXPECT_EQ(decoder.end(), 508u);
    const auto [rows, transactions] = decoder.take();
    EXPECT_EQ(transactions, std::vector<std::int64_t>{7});
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].columns, (Columns{{"number", "1"}, {"body", "{}"}}));
    EXPECT_EQ(rows[1].columns, (Columns{{"number", "2"}, {"body", ""}}));
    EXPECT_EQ(rows[1].age, std::chrono::milliseconds(250));
    EXPECT_EQ(decoder.ready(), 0u);
    EXPECT_TRUE(decoder.read(begin(), 0));
    EXPECT_TRUE(decoder.read(commit(600, 0), 0)) << "of something else";
    EXPECT_EQ(decoder.end(), 600u);
}

TEST(LogDecoder, LeavesOutWhatIsNoInsert) {
    LogDecoder decoder;
    for (const char kind : {'Y', 'O', 'T', 'M'}) {
        EXPECT_TRUE(decoder.read(Message(kind).number(1u).name("x").text(), 0));
    }
    EXPECT_EQ(decoder.ready(), 0u);
}

TEST(LogDecoder, RefusesWhatIsCutOrUnknown) {
    for (const std::string& whole : {relation(), insert("1", "{}"), commit(508, 0)}) {
        for (std::size_t size = 1; size < whole.size(); ++size) {
            LogDecoder decoder;
            if (whole[0] == 'I') { ASSERT_TRUE(decoder.read(relation(), 0)); }
            const auto read = decoder.read(whole.substr(0, size), 0);
            ASSERT_FALSE(read) << whole[0] << " cut after " << size;
            EXPECT_EQ(read.error().code(), "malformed");
            EXPECT_EQ(decoder.ready(), 0u);
            EXPECT_EQ(decoder.end(), 0u);
        }
    }
    LogDecoder decoder;
    EXPECT_FALSE(decoder.read(insert("1", "{}"), 0)) << "of no known table";
    EXPECT_FALSE(decoder.read("", 0));
}

}  // namespace
}  // namespace rushproof::postgres
