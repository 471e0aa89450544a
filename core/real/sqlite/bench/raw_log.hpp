// What a file system can do without a database: flushes of what a small commit writes.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace rushproof::sqlite {

// Writes as many bytes as a commit of three pages does, and flushes them.
class RawLog {
public:
    explicit RawLog(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CREAT, 0600)) {
        // Like a log that starts over, this overwrites what is there.
        const std::string log(size, 'y');
        check(pwrite(file_, log.data(), size, 0) == static_cast<ssize_t>(size) &&
              fsync(file_) == 0);
    }
    ~RawLog() { ::close(file_); }
    RawLog(const RawLog&) = delete;
    RawLog& operator=(const RawLog&) = delete;

    void flush() {
        if (offset_ + commit_.size() > size) offset_ = 0;
        const ssize_t written =
            pwrite(file_, commit_.data(), commit_.size(), static_cast<off_t>(offset_));
        check(written == static_cast<ssize_t>(commit_.size()) && fdatasync(file_) == 0);
        offset_ += commit_.size();
    }

private:
    static void check(bool done) {
        if (!done) std::abort();
    }

    static constexpr std::size_t page_size = 4096;
    static constexpr std::size_t size = 1000 * page_size;
    const std::string commit_ = std::string(3 * (page_size + 24), 'x');
    int file_;
    std::size_t offset_ = 0;
};

}  // namespace rushproof::sqlite
