#include "cnexus.h"

#include <dirent.h>
#include <stdio.h>

/* Opens a directory that may have been made unreadable by its owner, who is us. */
static int open_below(int directory, const char *name) {
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(directory, name, flags);
    if (fd < 0 && errno == EACCES && fchmodat(directory, name, 0700, 0) == 0) fd = openat(directory, name, flags);
    if (fd >= 0) (void)fchmod(fd, 0700);
    return fd;
}

/* A directory with something in it goes up to the root under a name of its own, where it is met later. */
static int move_up(int from, const char *name, int root, uint64_t *number) {
    char fresh[32];
    (void)fchmodat(from, name, 0700, 0); /* its ".." is written */
    for (int tries = 0; tries < 4096; tries++) {
        snprintf(fresh, sizeof fresh, ".moved-%llu", (unsigned long long)(*number)++);
        if (renameat(from, name, root, fresh) == 0) return 1;
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) return 0;
    }
    return 0;
}

/* One pass over what is in `directory`; how much went. At the root (`directory` == `root`) directories are emptied. */
static uint64_t pass(int directory, int root, uint64_t *number, uint64_t limit) {
    uint64_t gone = 0;
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    if (!entries) {
        if (copy >= 0) close(copy);
        return 0;
    }
    for (struct dirent *entry; gone < limit && (entry = readdir(entries));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (unlinkat(directory, name, 0) == 0 || unlinkat(directory, name, AT_REMOVEDIR) == 0) {
            gone++;
            continue;
        }
        if (directory != root) {
            gone += (uint64_t)move_up(directory, name, root, number);
            continue;
        }
        int below = open_below(root, name);
        if (below < 0) continue;
        gone += pass(below, root, number, limit - gone);
        close(below);
        if (unlinkat(root, name, AT_REMOVEDIR) == 0) gone++;
    }
    closedir(entries);
    return gone;
}

int nexus_clear_directory(const char *path, uint64_t limit) {
    int root = open_below(AT_FDCWD, path);
    if (root < 0) return -errno;
    uint64_t number = 0;
    for (uint64_t gone = 1; gone > 0 && limit > 0; limit -= gone) gone = pass(root, root, &number, limit);
    close(root);
    return rmdir(path) < 0 ? -errno : 0;
}
