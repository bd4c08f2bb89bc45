/* fcntl(2), open(2) and ioctl(2) are variadic, which Swift cannot call; waiting for input has a struct of its own. */
#ifndef CNEXUS_FILE_H
#define CNEXUS_FILE_H
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* openat(2); O_CLOEXEC is always added. */
static inline int nexus_openat(int directory, const char *path, int flags, unsigned mode) {
    int fd = openat(directory, path, flags | O_CLOEXEC, (mode_t)mode);
    return fd < 0 ? -errno : fd;
}

/* fcntl(2) with an integer argument. */
static inline int nexus_fcntl(int fd, int command, long argument) {
    int result = fcntl(fd, command, argument);
    return result < 0 ? -errno : result;
}

/* FIONREAD: bytes that wait in a pipe or socket. */
static inline int nexus_readable_bytes(int fd) {
    int count = 0;
    return ioctl(fd, FIONREAD, &count) < 0 ? -errno : count;
}

/* Removes a directory with everything in it, however deep, with two descriptors: what lies deeper is moved up first. Links are
 * not followed. It takes as long as it takes, so never call it in a loop; after `limit` removals it gives up. */
int nexus_clear_directory(const char *path, uint64_t limit);

/* memfd_create(2): close-on-exec (1) and sealable (2). */
static inline int nexus_make_memory(const char *name) {
    long fd = syscall(SYS_memfd_create, name, 1 | 2);
    return fd < 0 ? -errno : (int)fd;
}

/* F_ADD_SEALS (1033) and F_GET_SEALS (1034), whose names need _GNU_SOURCE: SEAL, SHRINK, GROW and WRITE. */
static inline int nexus_seal(int fd) {
    return fcntl(fd, 1033, 1 | 2 | 4 | 8) < 0 ? -errno : 0;
}

static inline int nexus_is_sealed(int fd) {
    int seals = fcntl(fd, 1034);
    return seals < 0 ? -errno : (seals & 15) == 15;
}

static inline int64_t nexus_pwrite(int fd, const void *bytes, size_t count, int64_t offset) {
    return pwrite(fd, bytes, count, offset);
}

static inline int nexus_close_on_exec(int fd, int on) {
    return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

static inline int nexus_at_cwd(void) { return AT_FDCWD; }

#endif
