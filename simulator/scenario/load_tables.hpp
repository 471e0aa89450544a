// The part of the description that speaks of stock, load and journeys.
#pragma once
#include "simulator/scenario/schema_types.hpp"

namespace rushproof::simulator {

Type<DurationDraw> duration_draw_type();
Type<NumberDraw> number_draw_type(std::string name, std::int64_t min, std::int64_t max);
Type<Popularity> popularity_type();
Type<Stock> stock_type();
Type<Load> load_type();
Type<Journey> journey_type();

}  // namespace rushproof::simulator
