// Goal: metrics come out in Prometheus' format, label sets stay bounded, logs are JSON lines.
// Method: ask for handles, use them, read the text that a scraper or a log collector would read.
#include "core/real/telemetry/real_telemetry.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace rushproof {
namespace {

std::size_t occurrences(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

TEST(RealTelemetry, SerialisesWhatWasCounted) {
    RealTelemetry telemetry(LogLevel::info);
    telemetry.counter("requests_total", "Requests", {{"code", "2xx"}}).add(3);
    telemetry.gauge("connections", "Open connections", {}).set(7);
    telemetry.duration("request_seconds", "Time to answer", {}).observe(0.002);
    const std::string text = telemetry.metrics_text();
    EXPECT_NE(text.find("# HELP requests_total Requests"), std::string::npos);
    EXPECT_NE(text.find("requests_total{code=\"2xx\"} 3"), std::string::npos);
    EXPECT_NE(text.find("connections 7"), std::string::npos);
    EXPECT_NE(text.find("request_seconds_bucket{le=\"0.001\"} 0"), std::string::npos);
    EXPECT_NE(text.find("request_seconds_bucket{le=\"0.002\"} 1"), std::string::npos);
}

TEST(RealTelemetry, GivesTheSameHandleForTheSameLabels) {
    RealTelemetry telemetry(LogLevel::info);
    Counter& first = telemetry.counter("a_total", "A", {{"role", "gateway"}});
    Counter& other = telemetry.counter("a_total", "A", {{"role", "inventory"}});
    EXPECT_EQ(&first, &telemetry.counter("a_total", "A", {{"role", "gateway"}}));
    EXPECT_NE(&first, &other);
}

TEST(RealTelemetry, FoldsLabelSetsBeyondTheBound) {
    RealTelemetry telemetry(LogLevel::info);
    for (std::size_t i = 0; i < label_sets_per_metric_max * 2; ++i) {
        telemetry.counter("a_total", "A", {{"sku", "SKU-" + std::to_string(i)}}).add(1);
    }
    const std::string text = telemetry.metrics_text();
    EXPECT_EQ(occurrences(text, "a_total{"), label_sets_per_metric_max + 1);
    EXPECT_NE(text.find("a_total{sku=\"other\"} " + std::to_string(label_sets_per_metric_max)),
              std::string::npos);
}

TEST(RealTelemetry, LogsOneJsonObjectALine) {
    testing::internal::CaptureStderr();
    RealTelemetry telemetry(LogLevel::info);
    telemetry.log(LogLevel::debug, "not asked for", {});
    telemetry.log(LogLevel::warning, "a \"quoted\" event", {{"path", "/a\nb"}, {"code", "%v"}});
    const std::string text = testing::internal::GetCapturedStderr();
    ASSERT_EQ(occurrences(text, "\n"), 1u);
    const auto line = boost::json::parse(text).as_object();
    EXPECT_EQ(line.at("level"), "warning");
    EXPECT_EQ(line.at("event"), "a \"quoted\" event");
    EXPECT_EQ(line.at("path"), "/a\nb");
    EXPECT_EQ(line.at("code"), "%v");
}

}  // namespace
}  // namespace rushproof
