// A SQLite VFS that writes the log in few system calls.
//
// SQLite appends a commit to its write-ahead log in two writes for each page, and a full
// reservation changes a dozen.  Here writes that follow each other are gathered and handed on as
// one, at the latest before the sync that makes them a commit.  Nothing else changes: what a sync
// promises, and each commit still has one of its own.
//
// Other connections do not miss what is gathered: they read the log no further than its index says,
// and with synchronous=FULL the index learns of a commit after its sync.
#pragma once
#include <sqlite3.h>

#include <cstddef>
#include <string>

namespace rushproof::sqlite {

class GatheredLog {
public:
    // Over the VFS `inner`; empty means the default one.  Registered while it lives, which is
    // longer than any connection that was opened by its name.
    explicit GatheredLog(const std::string& inner);
    ~GatheredLog();
    GatheredLog(const GatheredLog&) = delete;
    GatheredLog& operator=(const GatheredLog&) = delete;

    const std::string& name() const { return name_; }
    // Is there such a VFS as `inner`?  Else nothing can be opened.
    bool registered() const { return inner_ != nullptr; }

private:
    struct File;

    static int open(sqlite3_vfs* self, sqlite3_filename path, sqlite3_file* file, int flags,
                    int* out_flags);
    static int close(sqlite3_file* file);
    static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset);
    // A call that goes straight to the inner file, after what was gathered.
    template <auto Method, class... Arguments>
    static int pass(sqlite3_file* file, Arguments... arguments);
    static int sector_size(sqlite3_file* file);
    static int characteristics(sqlite3_file* file);
    static const sqlite3_io_methods& methods();

    sqlite3_vfs* inner_;
    std::string name_;
    sqlite3_vfs vfs_{};
};

}  // namespace rushproof::sqlite
