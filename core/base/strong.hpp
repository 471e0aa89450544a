// Strong types: an owner cannot be passed for a SKU, nor a count for a version.
#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace rushproof {

template <class Tag>
class StrongText {
public:
    StrongText() = default;
    explicit StrongText(std::string text) : text_(std::move(text)) {}
    const std::string& text() const { return text_; }
    bool empty() const { return text_.empty(); }
    friend auto operator<=>(const StrongText&, const StrongText&) = default;

private:
    std::string text_;
};

// A number of units.  Arithmetic is checked by its users: limits keep every sum far from overflow.
class Quantity {
public:
    constexpr Quantity() = default;
    explicit constexpr Quantity(std::int64_t units) : units_(units) {}
    constexpr std::int64_t units() const { return units_; }
    friend constexpr auto operator<=>(Quantity, Quantity) = default;
    friend constexpr Quantity operator+(Quantity a, Quantity b) {
        return Quantity(a.units_ + b.units_);
    }
    friend constexpr Quantity operator-(Quantity a, Quantity b) {
        return Quantity(a.units_ - b.units_);
    }

private:
    std::int64_t units_ = 0;
};

using Sku = StrongText<struct SkuTag>;
using ReservationId = StrongText<struct ReservationIdTag>;
using Owner = StrongText<struct OwnerTag>;
using IdempotencyKey = StrongText<struct IdempotencyKeyTag>;

}  // namespace rushproof
