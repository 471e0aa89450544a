#include "core/real/sqlite/owner_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>

namespace rushproof::sqlite {

namespace {

// For the message only: whoever holds the lock wrote its process id into the file.
std::string read_owner(int descriptor) {
    std::array<char, 16> digits{};
    const ssize_t size = pread(descriptor, digits.data(), digits.size(), 0);
    return size > 0 ? std::string(digits.data(), static_cast<std::size_t>(size)) : "unknown";
}

bool write_owner(int descriptor) {
    const std::string pid = std::to_string(getpid());
    return ftruncate(descriptor, 0) == 0 &&
           pwrite(descriptor, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
}

}  // namespace

Result<std::unique_ptr<OwnerLock>> OwnerLock::take(const std::string& path) {
    // Two names of one file must meet at one lock.
    std::error_code error;
    const auto canonical = std::filesystem::weakly_canonical(path, error);
    const std::string lock_path = (error ? path : canonical.string()) + ".owner";
    const int descriptor = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        return failure(ErrorKind::permanent, "open-failed",
                       "cannot create " + lock_path + ": " + std::strerror(errno) +
                           "; its directory must exist and be writable");
    }
    std::unique_ptr<OwnerLock> lock(new OwnerLock(descriptor));
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        return failure(ErrorKind::permanent, "database-in-use",
                       "database file " + path + " belongs to process " + read_owner(descriptor) +
                           "; stop that process, or give this one a file of its own");
    }
    if (!write_owner(descriptor)) {
        return failure(ErrorKind::permanent, "open-failed",
                       "cannot write " + lock_path + ": " + std::strerror(errno));
    }
    return lock;
}

OwnerLock::~OwnerLock() { ::close(descriptor_); }

}  // namespace rushproof::sqlite
