#include "core/real/sqlite/gathered_log.hpp"

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace rushproof::sqlite {

namespace {

// More than most commits; a longer one takes several writes.  SQLite's own VFS looks only at the
// lower 17 bits of a size.
constexpr std::size_t capacity = std::size_t{96} * 1024;

template <class Function, class... Arguments>
auto inner_call(sqlite3_vfs* self, Function sqlite3_vfs::* function, Arguments... arguments) {
    auto* const inner = static_cast<sqlite3_vfs*>(self->pAppData);
    return (inner->*function)(inner, arguments...);
}

// The VFS's other functions, each with the `self` that it knows.
template <auto Function>
struct Forward;
template <class Result, class... Arguments,
          Result (*sqlite3_vfs::*Function)(sqlite3_vfs*, Arguments...)>
struct Forward<Function> {
    static Result call(sqlite3_vfs* self, Arguments... arguments) {
        return inner_call(self, Function, arguments...);
    }
};
template <auto Function>
constexpr auto forward = &Forward<Function>::call;

}  // namespace

// SQLite allocates this, and the inner VFS's own file right behind it.
struct GatheredLog::File {
    sqlite3_file base{nullptr};
    std::unique_ptr<std::uint8_t[]> bytes;  // from the first write on
    std::size_t size = 0;                   // of what is gathered
    sqlite3_int64 offset = 0;               // where it belongs

    static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
    sqlite3_file* inner() { return reinterpret_cast<sqlite3_file*>(this + 1); }

    // A failure is the failure of every write in it: SQLite gives the transaction up.
    int hand_on() {
        if (size == 0) { return SQLITE_OK; }
        const int length = static_cast<int>(size);
        size = 0;
        return inner()->pMethods->xWrite(inner(), bytes.get(), length, offset);
    }
};

GatheredLog::GatheredLog(const std::string& inner)
    : inner_(sqlite3_vfs_find(inner.empty() ? nullptr : inner.c_str())) {
    if (inner_ == nullptr) { return; }
    name_ = "gathered-log-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
    vfs_ = *inner_;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + inner_->szOsFile;
    vfs_.pNext = nullptr;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = inner_;
    vfs_.xOpen = &GatheredLog::open;
    vfs_.xDelete = forward<&sqlite3_vfs::xDelete>;
    vfs_.xAccess = forward<&sqlite3_vfs::xAccess>;
    vfs_.xFullPathname = forward<&sqlite3_vfs::xFullPathname>;
    vfs_.xDlOpen = forward<&sqlite3_vfs::xDlOpen>;
    vfs_.xDlError = forward<&sqlite3_vfs::xDlError>;
    vfs_.xDlClose = forward<&sqlite3_vfs::xDlClose>;
    vfs_.xRandomness = forward<&sqlite3_vfs::xRandomness>;
    vfs_.xSleep = forward<&sqlite3_vfs::xSleep>;
    vfs_.xCurrentTime = forward<&sqlite3_vfs::xCurrentTime>;
    vfs_.xGetLastError = forward<&sqlite3_vfs::xGetLastError>;
    vfs_.xCurrentTimeInt64 = forward<&sqlite3_vfs::xCurrentTimeInt64>;
    sqlite3_vfs_register(&vfs_, 0);
}

GatheredLog::~GatheredLog() {
    if (inner_ != nullptr) { sqlite3_vfs_unregister(&vfs_); }
}

int GatheredLog::open(sqlite3_vfs* self, sqlite3_filename path, sqlite3_file* raw, int flags,
                      int* out_flags) {
    if ((flags & SQLITE_OPEN_WAL) == 0) {
        return inner_call(self, &sqlite3_vfs::xOpen, path, raw, flags, out_flags);
    }
    static_assert(alignof(File) <= 8 && sizeof(File) % 8 == 0, "the inner file stands behind it");
    File* const file = new (raw) File;
    const int code = inner_call(self, &sqlite3_vfs::xOpen, path, file->inner(), flags, out_flags);
    if (file->inner()->pMethods == nullptr) {
        file->~File();
        raw->pMethods = nullptr;
    } else {
        file->base.pMethods = &methods();
    }
    return code;
}

int GatheredLog::close(sqlite3_file* raw) {
    File& file = File::of(raw);
    const int written = file.hand_on();
    const int closed = file.inner()->pMethods->xClose(file.inner());
    file.~File();
    return written != SQLITE_OK ? written : closed;
}

int GatheredLog::write(sqlite3_file* raw, const void* data, int size, sqlite3_int64 offset) {
    File& file = File::of(raw);
    const auto length = static_cast<std::size_t>(size);
    const bool follows = offset == file.offset + static_cast<sqlite3_int64>(file.size);
    if (!follows || file.size + length > capacity) {
        if (const int code = file.hand_on(); code != SQLITE_OK) { return code; }
    }
    if (length > capacity) {
        return file.inner()->pMethods->xWrite(file.inner(), data, size, offset);
    }
    if (!file.bytes) { file.bytes.reset(new (std::nothrow) std::uint8_t[capacity]); }
    if (!file.bytes) { return SQLITE_IOERR_NOMEM; }
    if (file.size == 0) { file.offset = offset; }
    std::memcpy(file.bytes.get() + file.size, data, length);
    file.size += length;
    return SQLITE_OK;
}

template <auto Method, class... Arguments>
int GatheredLog::pass(sqlite3_file* raw, Arguments... arguments) {
    File& file = File::of(raw);
    if (const int code = file.hand_on(); code != SQLITE_OK) { return code; }
    return (file.inner()->pMethods->*Method)(file.inner(), arguments...);
}

int GatheredLog::sector_size(sqlite3_file* raw) {
    sqlite3_file* const inner = File::of(raw).inner();
    return inner->pMethods->xSectorSize(inner);
}

int GatheredLog::characteristics(sqlite3_file* raw) {
    sqlite3_file* const inner = File::of(raw).inner();
    return inner->pMethods->xDeviceCharacteristics(inner);
}

// Version 1: a log is neither shared memory nor mapped.
const sqlite3_io_methods& GatheredLog::methods() {
    static constexpr sqlite3_io_methods table = {
        .iVersion = 1,
        .xClose = close,
        .xRead = pass<&sqlite3_io_methods::xRead>,
        .xWrite = write,
        .xTruncate = pass<&sqlite3_io_methods::xTruncate>,
        .xSync = pass<&sqlite3_io_methods::xSync>,
        .xFileSize = pass<&sqlite3_io_methods::xFileSize>,
        .xLock = pass<&sqlite3_io_methods::xLock>,
        .xUnlock = pass<&sqlite3_io_methods::xUnlock>,
        .xCheckReservedLock = pass<&sqlite3_io_methods::xCheckReservedLock>,
        .xFileControl = pass<&sqlite3_io_methods::xFileControl>,
        .xSectorSize = sector_size,
        .xDeviceCharacteristics = characteristics,
        .xShmMap = nullptr,
        .xShmLock = nullptr,
        .xShmBarrier = nullptr,
        .xShmUnmap = nullptr,
        .xFetch = nullptr,
        .xUnfetch = nullptr,
    };
    return table;
}

}  // namespace rushproof::sqlite
