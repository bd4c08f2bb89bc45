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

static inline int nexus_at_cwd(void) { return AT_FDCWD; }

#endif
