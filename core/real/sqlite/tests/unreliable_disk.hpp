// A disk that loses power and breaks: a SQLite VFS over the default one.
//
// The files on the real disk are what a running system sees.  Beside them, in memory, stands what
// would survive: for each file its content at the last sync, and every change since.  When the
// power goes, each sector of each change since the last sync is kept or lost on its own.  The
// shared-memory file is left out: SQLite rebuilds it, and it does not outlive a power loss.
#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/keyed_random.hpp"

namespace rushproof::sqlite {

class UnreliableDisk {
public:
    enum class Syncs : std::uint8_t { obeyed, ignored };

    // Registered under `name` while it lives.
    UnreliableDisk(std::string name, Syncs syncs);
    ~UnreliableDisk();
    UnreliableDisk(const UnreliableDisk&) = delete;
    UnreliableDisk& operator=(const UnreliableDisk&) = delete;

    // Power goes at the `steps`-th change or sync from now; every later one fails.
    void lose_power_after(std::uint64_t steps);
    bool has_power();
    std::uint64_t steps_left();
    // Puts what survived onto the real disk, and switches on again.  No file may be open.
    void restart(RandomStream& random);

    // From now on every sync, or every write, fails with this SQLite code; SQLITE_OK heals.
    void fail_syncs(int code);
    void fail_writes(int code);

private:
    struct Change {
        enum class Kind : std::uint8_t { write, truncate, remove };
        Kind kind;
        std::size_t offset;  // of a write; the new size of a truncate
        std::string data;
    };
    using Content = std::optional<std::string>;  // nothing: there is no such file
    struct Survivor {
        Content synced;
        std::vector<Change> since;
    };
    struct File;

    static int open(sqlite3_vfs* self, sqlite3_filename path, sqlite3_file* file, int flags,
                    int* out_flags);
    static int remove(sqlite3_vfs* self, const char* path, int sync_directory);
    static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset);
    static int truncate(sqlite3_file* file, sqlite3_int64 size);
    static int sync(sqlite3_file* file, int flags);
    template <auto Method, class... Arguments>
    static auto pass(sqlite3_file* file, Arguments... arguments);
    static const sqlite3_io_methods& methods();

    int change(const std::string& path, Change change, const std::function<int()>& real);
    int sync(const std::string& path, bool with_directory);
    void first_seen(const std::string& path);
    bool step();  // false once the power is gone

    // Makes the changes before `end` durable.
    static void settle(Survivor& survivor, std::vector<Change>::iterator end);
    static void apply(const Change& change, Content& content);
    static Content survive(const Survivor& survivor, RandomStream& random);

    std::string name_;
    Syncs syncs_;
    sqlite3_vfs* real_;
    sqlite3_vfs vfs_;

    std::mutex mutex_;  // guards everything below
    std::map<std::string, Survivor> survivors_;
    std::uint64_t steps_left_ = UINT64_MAX;
    int sync_code_ = SQLITE_OK;
    int write_code_ = SQLITE_OK;
};

}  // namespace rushproof::sqlite
