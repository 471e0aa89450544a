// Histories for other people's checkers: operations as jepsen.history has them.
//
// Every operation is {:index :time :process :type :f :key :value :error}; `:index` is dense.
// Processes are numbers: those with a name get the numbers after the highest one.  Faults are
// `:process :nemesis, :type :info`.  An effect that nobody asked for (`expire`, `process`) gets an
// invocation at its own time.  The ledger is left out: it is evidence, not operations.
#pragma once
#include <iosfwd>

#include "simulator/record/history.hpp"

namespace rushproof::simulator {

// One map a line, for clojure.edn/read and `lein run serve`.
void write_edn(const History& history, std::ostream& output);

// The same maps as JSON lines, for Porcupine and other tools.
void write_jepsen_json(const History& history, std::ostream& output);

}  // namespace rushproof::simulator
