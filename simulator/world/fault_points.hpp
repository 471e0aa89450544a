// Named moments in a run at which a fault may strike: port calls,
// "inventory.reserve/commit:before". Services know nothing of them; the ports around them do.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace rushproof::simulator {

class FaultPoints {
public:
    // Strikes when the point is reached for the nth time (from 1), on the instance that reaches it.
    void add(std::string name, std::int64_t nth,
             std::function<void(const std::string& instance)> strike);
    bool empty() const { return points_.empty(); }

    // A call of a use case entered an instance: ports find its name by the span of their Context.
    // Returns the span to give to the call.
    std::uint64_t enter(std::string_view use_case);
    void leave(std::uint64_t span);
    // "inventory.reserve", or "background" for a span that nobody entered.
    std::string_view use_case(std::uint64_t span) const;

    // True when a fault struck here: the caller then lets the scheduler carry it out before it goes
    // on.
    bool reach(const std::string& instance, std::uint64_t span, std::string_view call,
               std::string_view when);

private:
    struct Point {
        std::int64_t nth;
        std::int64_t seen = 0;
        std::function<void(const std::string& instance)> strike;
    };
    std::multimap<std::string, Point, std::less<>> points_;
    std::map<std::uint64_t, std::string> spans_;
    std::uint64_t next_span_ = 1;
};

// "inventory.v1.Inventory/GetStock" -> "inventory.get_stock".
std::string use_case_of(std::string_view rpc_method);

}  // namespace rushproof::simulator
