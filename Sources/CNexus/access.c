#include "cnexus.h"

#include <limits.h>

/* As many answers fit into one write of a pipe. */
#define MOST (PIPE_BUF / sizeof(int32_t))

static int become(uid_t uid, gid_t gid, const gid_t *groups, size_t count) {
    if (syscall(SYS_setgroups, count, groups) < 0 && !(errno == EPERM && geteuid() == uid)) return errno;
    if (syscall(SYS_setresgid, gid, gid, gid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0) return errno;
    return 0;
}

/* The call itself: glibc's faccessat(3) reckons with mode bits where it is asked for more than the kernel knew once. */
static void ask(const struct nexus_access *questions, size_t count, int failed, int answers) {
    int32_t errors[MOST];
    for (size_t i = 0; i < count; i++) {
        const struct nexus_access *question = &questions[i];
        long result = failed == 0 ? syscall(SYS_faccessat, question->directory, question->name, question->mode) : -1;
        errors[i] = failed != 0 ? -failed : result < 0 ? errno : 0;
    }
    ssize_t written = write(answers, errors, count * sizeof errors[0]);
    _exit(written < 0);
}

int nexus_access_as(
    int change, uid_t uid, gid_t gid, const gid_t *groups, size_t group_count, struct nexus_access *questions,
    size_t count) {
    int32_t errors[MOST];
    int ends[2], status;
    if (count == 0) return 0;
    if (count > MOST) return -E2BIG;
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    pid_t child = fork();
    if (child == 0) ask(questions, count, change ? become(uid, gid, groups, group_count) : 0, ends[1]);
    int failure = errno;
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return -failure;
    }
    ssize_t got;
    do got = read(ends[0], errors, sizeof errors);
    while (got < 0 && errno == EINTR);
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (got != (ssize_t)(count * sizeof errors[0])) return -EIO;
    /* It did not become that user. */
    if (errors[0] < 0) return errors[0];
    for (size_t i = 0; i < count; i++) questions[i].error = errors[i];
    return 0;
}
