#include "core/real/sqlite/tests/unreliable_disk.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <utility>

namespace rushproof::sqlite {

namespace {

constexpr std::size_t sector_size = 512;

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void write_file(const std::string& path, const std::optional<std::string>& content) {
    // A new file, for truncating an old one makes some file systems wait for the disk.
    std::filesystem::remove(path);
    if (!content) return;
    std::ofstream file(path, std::ios::binary);
    file.write(content->data(), static_cast<std::streamsize>(content->size()));
}

}  // namespace

// SQLite allocates this, and the default VFS's own file right behind it.
struct UnreliableDisk::File {
    sqlite3_file base;
    UnreliableDisk* disk;
    const char* path;  // SQLite keeps it alive while the file is open; null for a temporary file
    // The default VFS syncs the directory along with the first sync of a journal or log.
    bool syncs_directory;

    static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

UnreliableDisk::UnreliableDisk(std::string name, Syncs syncs)
    : name_(std::move(name)), syncs_(syncs), real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.pNext = nullptr;
    vfs_.zName = name_.c_str();
    // The default VFS's other functions do not look at this.
    vfs_.pAppData = this;
    vfs_.xOpen = &UnreliableDisk::open;
    vfs_.xDelete = &UnreliableDisk::remove;
    sqlite3_vfs_register(&vfs_, 0);
}

UnreliableDisk::~UnreliableDisk() { sqlite3_vfs_unregister(&vfs_); }

void UnreliableDisk::lose_power_after(std::uint64_t steps) {
    const std::lock_guard lock(mutex_);
    steps_left_ = steps;
}

bool UnreliableDisk::has_power() {
    const std::lock_guard lock(mutex_);
    return steps_left_ > 0;
}

std::uint64_t UnreliableDisk::steps_left() {
    const std::lock_guard lock(mutex_);
    return steps_left_;
}

void UnreliableDisk::fail_syncs(int code) {
    const std::lock_guard lock(mutex_);
    sync_code_ = code;
}

void UnreliableDisk::fail_writes(int code) {
    const std::lock_guard lock(mutex_);
    write_code_ = code;
}

void UnreliableDisk::restart(RandomStream& random) {
    const std::lock_guard lock(mutex_);
    for (auto& [path, survivor] : survivors_) {
        survivor.synced = survive(survivor, random);
        survivor.since.clear();
        write_file(path, survivor.synced);
        if (!path.ends_with("-wal")) std::filesystem::remove(path + "-shm");
    }
    steps_left_ = UINT64_MAX;
}

bool UnreliableDisk::step() {
    if (steps_left_ > 0 && steps_left_ != UINT64_MAX) --steps_left_;
    return steps_left_ > 0;
}

void UnreliableDisk::first_seen(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (!survivors_.contains(path)) survivors_.emplace(path, Survivor{read_file(path), {}});
}

int UnreliableDisk::change(const std::string& path, Change change,
                           const std::function<int()>& real) {
    const std::lock_guard lock(mutex_);
    if (steps_left_ == 0) return SQLITE_IOERR_WRITE;
    if (write_code_ != SQLITE_OK) return write_code_;
    survivors_.at(path).since.push_back(std::move(change));
    const bool powered = step();
    const int code = real();
    return powered ? code : SQLITE_IOERR_WRITE;
}

int UnreliableDisk::sync(const std::string& path, bool with_directory) {
    const std::lock_guard lock(mutex_);
    if (sync_code_ != SQLITE_OK) return sync_code_;
    if (!step()) return SQLITE_IOERR_FSYNC;
    if (syncs_ == Syncs::ignored) return SQLITE_OK;
    Survivor& own = survivors_.at(path);
    settle(own, own.since.end());
    for (auto& [other, survivor] : survivors_) {
        const auto removal = std::ranges::find(survivor.since, Change::Kind::remove, &Change::kind);
        if (with_directory && removal != survivor.since.end()) settle(survivor, removal + 1);
    }
    return SQLITE_OK;
}

void UnreliableDisk::settle(Survivor& survivor, std::vector<Change>::iterator end) {
    for (auto it = survivor.since.begin(); it != end; ++it) apply(*it, survivor.synced);
    survivor.since.erase(survivor.since.begin(), end);
}

void UnreliableDisk::apply(const Change& change, Content& content) {
    if (change.kind == Change::Kind::remove) {
        content.reset();
        return;
    }
    if (!content) content.emplace();
    if (change.kind == Change::Kind::truncate) {
        content->resize(std::min(content->size(), change.offset));
        return;
    }
    content->resize(std::max(content->size(), change.offset + change.data.size()));
    content->replace(change.offset, change.data.size(), change.data);
}

UnreliableDisk::Content UnreliableDisk::survive(const Survivor& survivor, RandomStream& random) {
    // Everything is lost, everything is kept, or each sector is drawn.
    constexpr std::uint32_t kept_in_millionths[] = {0, 100'000, 500'000, 900'000, 1'000'000};
    const std::uint32_t kept = kept_in_millionths[random.below(std::size(kept_in_millionths))];
    Content content = survivor.synced;
    for (const Change& change : survivor.since) {
        if (change.kind != Change::Kind::write) {
            const bool happened = random.chance(kept);
            if (happened) apply(change, content);
            // What was written after a lost removal went to a new file, whose name is lost with it.
            if (!happened && change.kind == Change::Kind::remove) break;
            continue;
        }
        for (std::size_t done = 0; done < change.data.size();) {
            const std::size_t at = change.offset + done;
            const std::size_t size =
                std::min(sector_size - at % sector_size, change.data.size() - done);
            const Change piece{Change::Kind::write, at, change.data.substr(done, size)};
            if (random.chance(kept)) apply(piece, content);
            done += size;
        }
    }
    return content;
}

int UnreliableDisk::open(sqlite3_vfs* self, sqlite3_filename path, sqlite3_file* raw, int flags,
                         int* out_flags) {
    auto& disk = *static_cast<UnreliableDisk*>(self->pAppData);
    const bool created = (flags & SQLITE_OPEN_CREATE) != 0;
    const bool logs = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    File& file = *new (raw) File{{nullptr}, &disk, path, created && logs};
    if (path != nullptr) disk.first_seen(path);
    const int code = disk.real_->xOpen(disk.real_, path, file.real(), flags, out_flags);
    if (file.real()->pMethods != nullptr) file.base.pMethods = &methods();
    return code;
}

int UnreliableDisk::remove(sqlite3_vfs* self, const char* path, int sync_directory) {
    auto& disk = *static_cast<UnreliableDisk*>(self->pAppData);
    disk.first_seen(path);
    const int code = disk.change(path, Change{Change::Kind::remove, 0, {}},
                                 [&] { return disk.real_->xDelete(disk.real_, path, 0); });
    return code == SQLITE_OK && sync_directory != 0 ? disk.sync(path, true) : code;
}

// A call that goes straight to the default VFS.
template <auto Method, class... Arguments>
auto UnreliableDisk::pass(sqlite3_file* file, Arguments... arguments) {
    sqlite3_file* real = File::of(file).real();
    return (real->pMethods->*Method)(real, arguments...);
}

int UnreliableDisk::write(sqlite3_file* raw, const void* data, int size, sqlite3_int64 offset) {
    File& file = File::of(raw);
    const auto real = [&] { return pass<&sqlite3_io_methods::xWrite>(raw, data, size, offset); };
    if (file.path == nullptr) return real();
    std::string bytes(static_cast<const char*>(data), static_cast<std::size_t>(size));
    Change written{Change::Kind::write, static_cast<std::size_t>(offset), std::move(bytes)};
    return file.disk->change(file.path, std::move(written), real);
}

int UnreliableDisk::truncate(sqlite3_file* raw, sqlite3_int64 size) {
    File& file = File::of(raw);
    const auto real = [&] { return pass<&sqlite3_io_methods::xTruncate>(raw, size); };
    if (file.path == nullptr) return real();
    Change cut{Change::Kind::truncate, static_cast<std::size_t>(size), {}};
    return file.disk->change(file.path, std::move(cut), real);
}

int UnreliableDisk::sync(sqlite3_file* raw, int) {
    File& file = File::of(raw);
    if (file.path == nullptr) return SQLITE_OK;
    return file.disk->sync(file.path, std::exchange(file.syncs_directory, false));
}

// Version 2: without memory mapping, which would change files behind our back.
const sqlite3_io_methods& UnreliableDisk::methods() {
    static constexpr sqlite3_io_methods table = {
        .iVersion = 2,
        .xClose = pass<&sqlite3_io_methods::xClose>,
        .xRead = pass<&sqlite3_io_methods::xRead>,
        .xWrite = write,
        .xTruncate = truncate,
        .xSync = sync,
        .xFileSize = pass<&sqlite3_io_methods::xFileSize>,
        .xLock = pass<&sqlite3_io_methods::xLock>,
        .xUnlock = pass<&sqlite3_io_methods::xUnlock>,
        .xCheckReservedLock = pass<&sqlite3_io_methods::xCheckReservedLock>,
        .xFileControl = pass<&sqlite3_io_methods::xFileControl>,
        .xSectorSize = pass<&sqlite3_io_methods::xSectorSize>,
        .xDeviceCharacteristics = pass<&sqlite3_io_methods::xDeviceCharacteristics>,
        .xShmMap = pass<&sqlite3_io_methods::xShmMap>,
        .xShmLock = pass<&sqlite3_io_methods::xShmLock>,
        .xShmBarrier = pass<&sqlite3_io_methods::xShmBarrier>,
        .xShmUnmap = pass<&sqlite3_io_methods::xShmUnmap>,
        .xFetch = nullptr,
        .xUnfetch = nullptr,
    };
    return table;
}

}  // namespace rushproof::sqlite
