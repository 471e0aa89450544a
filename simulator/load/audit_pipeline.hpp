// The part of the audit that is about messages.
#pragma once
#include "simulator/load/audit.hpp"

namespace rushproof::simulator {

// Appends a `process` operation for each effect and each message that was set aside, and the
// divergences.  Effects stand in the order of their numbers, at the time that the database says, or
// right after the one before.  `history` outlives the call.
Task<Result<void>> audit_pipeline(Clock& clock, HttpClient& http, AuditOptions options,
                                  History& history);

}  // namespace rushproof::simulator
