#include "faultydisk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

enum call { OPEN, READ, WRITE, TRUNCATE, SYNC, DELETE };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char directory[1024];
static enum nexus_disk_fault fault;
static int nth, for_ever, calls, failures;
static sqlite3_vfs *base;

/* The real file lies behind it in the same memory. */
struct file {
    sqlite3_file head;
    int is_watched;
    sqlite3_file real[];
};

static sqlite3_file *real(sqlite3_file *file) { return ((struct file *)file)->real; }

static int concerns(enum call call) {
    switch (fault) {
    case NEXUS_DISK_FULL: return call == WRITE || call == OPEN;
    case NEXUS_DISK_TORN: return call == WRITE;
    case NEXUS_DISK_ERROR: return 1;
    }
    return 0;
}

/* Whether this call is one that fails. */
static int fails(enum call call) {
    pthread_mutex_lock(&lock);
    int result = 0;
    if (nth > 0 && concerns(call)) {
        calls++;
        result = calls == nth || (for_ever && calls > nth);
        failures += result;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int is_watched(const char *path) {
    pthread_mutex_lock(&lock);
    int result = path && directory[0] && strncmp(path, directory, strlen(directory)) == 0;
    pthread_mutex_unlock(&lock);
    return result;
}

static int meets(sqlite3_file *file, enum call call) { return ((struct file *)file)->is_watched && fails(call); }

static int x_close(sqlite3_file *f) { return real(f)->pMethods->xClose(real(f)); }

static int x_read(sqlite3_file *f, void *bytes, int count, sqlite3_int64 offset) {
    return meets(f, READ) ? SQLITE_IOERR_READ : real(f)->pMethods->xRead(real(f), bytes, count, offset);
}

static int x_write(sqlite3_file *f, const void *bytes, int count, sqlite3_int64 offset) {
    if (!meets(f, WRITE)) return real(f)->pMethods->xWrite(real(f), bytes, count, offset);
    if (fault == NEXUS_DISK_TORN) real(f)->pMethods->xWrite(real(f), bytes, count / 2, offset);
    return fault == NEXUS_DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int x_truncate(sqlite3_file *f, sqlite3_int64 size) {
    return meets(f, TRUNCATE) ? SQLITE_IOERR_TRUNCATE : real(f)->pMethods->xTruncate(real(f), size);
}

static int x_sync(sqlite3_file *f, int flags) {
    return meets(f, SYNC) ? SQLITE_IOERR_FSYNC : real(f)->pMethods->xSync(real(f), flags);
}

static int x_file_size(sqlite3_file *f, sqlite3_int64 *size) { return real(f)->pMethods->xFileSize(real(f), size); }
static int x_lock(sqlite3_file *f, int level) { return real(f)->pMethods->xLock(real(f), level); }
static int x_unlock(sqlite3_file *f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
static int x_check(sqlite3_file *f, int *out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
static int x_control(sqlite3_file *f, int op, void *arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); }
static int x_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int x_device(sqlite3_file *f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
static int x_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
static int x_shm_lock(sqlite3_file *f, int offset, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}
static void x_shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int x_shm_unmap(sqlite3_file *f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); }

/* Version 2: without memory-mapped reads, which would pass by. */
static const sqlite3_io_methods methods = {
    .iVersion = 2, .xClose = x_close, .xRead = x_read, .xWrite = x_write, .xTruncate = x_truncate, .xSync = x_sync,
    .xFileSize = x_file_size, .xLock = x_lock, .xUnlock = x_unlock, .xCheckReservedLock = x_check,
    .xFileControl = x_control, .xSectorSize = x_sector, .xDeviceCharacteristics = x_device, .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock, .xShmBarrier = x_shm_barrier, .xShmUnmap = x_shm_unmap,
};

static int x_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out) {
    (void)vfs;
    struct file *file = (struct file *)f;
    f->pMethods = NULL;
    file->is_watched = is_watched(path);
    if (file->is_watched && (fault != NEXUS_DISK_FULL || (flags & SQLITE_OPEN_CREATE)) && fails(OPEN)) {
        return SQLITE_CANTOPEN;
    }
    int result = base->xOpen(base, path, file->real, flags, out);
    if (file->real->pMethods) f->pMethods = &methods;
    return result;
}

static int x_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    (void)vfs;
    return is_watched(path) && fails(DELETE) ? SQLITE_IOERR_DELETE : base->xDelete(base, path, sync);
}

int nexus_disk_install(void) {
    static sqlite3_vfs own;
    pthread_mutex_lock(&lock);
    int result = SQLITE_OK;
    if (!base) {
        base = sqlite3_vfs_find(NULL);
        own = *base;
        own.zName = "nexus-faulty-disk";
        own.pNext = NULL;
        own.szOsFile = (int)sizeof(struct file) + base->szOsFile;
        own.xOpen = x_open;
        own.xDelete = x_delete;
        result = sqlite3_vfs_register(&own, 1);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

void nexus_disk_fail(const char *below, enum nexus_disk_fault new_fault, int new_nth, int is_for_ever) {
    pthread_mutex_lock(&lock);
    strncpy(directory, below, sizeof directory - 1);
    fault = new_fault;
    nth = new_nth;
    for_ever = is_for_ever;
    calls = failures = 0;
    pthread_mutex_unlock(&lock);
}

int nexus_disk_calls(void) {
    pthread_mutex_lock(&lock);
    int result = calls;
    pthread_mutex_unlock(&lock);
    return result;
}

int nexus_disk_failures(void) {
    pthread_mutex_lock(&lock);
    int result = failures;
    pthread_mutex_unlock(&lock);
    return result;
}
