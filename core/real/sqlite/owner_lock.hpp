// The claim of one process on one database file.
#pragma once
#include <memory>
#include <string>

#include "core/base/result.hpp"

namespace rushproof::sqlite {

// An advisory lock on "<file>.owner".  The kernel lets go of it when the process ends, however it
// ends; the file itself stays, for deleting it would let two processes lock two files.
class OwnerLock {
public:
    // Error: permanent "database-in-use".
    static Result<std::unique_ptr<OwnerLock>> take(const std::string& path);
    ~OwnerLock();
    OwnerLock(const OwnerLock&) = delete;
    OwnerLock& operator=(const OwnerLock&) = delete;

private:
    explicit OwnerLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace rushproof::sqlite
