// A message as processor.v1 carries it from role to role.
#pragma once
#include "core/ports/message_queue.hpp"
#include "core/protocol/processor.pb.h"

namespace rushproof {

::processor::v1::Message to_wire(const Message& message);
Message from_wire(::processor::v1::Message&& wire);

}  // namespace rushproof
