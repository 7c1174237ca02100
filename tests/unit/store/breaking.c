/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/breaking.h"

#include "tests/unit/test.h"
#include <sqlite3.h>

atomic_int breaking_syncs, breaking_writes;              /* VFS callbacks have no argument of ours */
static sqlite3_io_methods locked_methods, plain_methods; /* the log has no locks and no shared memory */
static const sqlite3_io_methods *real_methods;
static sqlite3_vfs vfs, *real_vfs;

static int breaking_sync(sqlite3_file *file, int flags)
{
    return breaking_syncs ? SQLITE_IOERR_FSYNC : real_methods->xSync(file, flags);
}

static int filling_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    return breaking_writes ? SQLITE_FULL : real_methods->xWrite(file, data, len, at);
}

static int breaking_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    (void)self;
    int code = real_vfs->xOpen(real_vfs, name, file, flags, ret_flags);
    if (code == SQLITE_OK && file->pMethods) {
        sqlite3_io_methods *methods = flags & SQLITE_OPEN_MAIN_DB ? &locked_methods : &plain_methods;
        real_methods = file->pMethods; /* write and sync are the same for both */
        *methods = *real_methods;
        methods->xSync = breaking_sync;
        methods->xWrite = filling_write;
        file->pMethods = methods;
    }
    return code;
}

void breaking_install(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "breaking";
    vfs.xOpen = breaking_open;
    vfs.pNext = NULL;
    assert_int_equal(SQLITE_OK, sqlite3_vfs_register(&vfs, 1));
}
