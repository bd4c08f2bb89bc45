/* What another user may do with files, as the kernel judges it: modes, lists (acl(5)), mounts, security modules. */
#ifndef CNEXUS_ACCESS_H
#define CNEXUS_ACCESS_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One question: may this be done with `name`, seen from the open `directory`? Of a `name` of "." that is the directory itself,
 * whatever lies above it. */
struct nexus_access {
    int directory;
    const char *name;
    /* R_OK | W_OK | X_OK. */
    int mode;
    /* 0, or the errno of faccessat(2). */
    int32_t error;
};

/* Asks all of them in a child process that has become that user for good; the caller keeps its own rights. -errno when nobody could
 * be asked. Without `change` as the caller. */
int nexus_access_as(
    int change, uid_t uid, gid_t gid, const gid_t *groups, size_t group_count, struct nexus_access *questions,
    size_t count);

#endif
