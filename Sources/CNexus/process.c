#include "cnexus.h"

#include <sys/resource.h>

/* The system call itself, for glibc's waitid has no room for the rusage that the kernel's gives. */
static int wait_for(idtype_t type, id_t id, int options, struct nexus_wait *result) {
    siginfo_t info;
    struct rusage usage;
    memset(&info, 0, sizeof info); /* WNOHANG with nothing to tell leaves both as they were */
    memset(&usage, 0, sizeof usage);
    if (syscall(SYS_waitid, type, id, &info, options | WEXITED | WNOHANG, &usage) < 0) return -errno;
    result->pid = info.si_pid;
    result->uid = (int32_t)info.si_uid;
    result->code = info.si_code;
    result->status = info.si_status;
    result->cpu_us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000)
        + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    result->peak_kib = usage.ru_maxrss;
    return 0;
}

int nexus_wait_any(struct nexus_wait *result, int keep) {
    return wait_for(P_ALL, 0, keep ? WNOWAIT : 0, result);
}

int nexus_wait_pid(int32_t pid, struct nexus_wait *result) {
    return wait_for(P_PID, (id_t)pid, 0, result);
}

/* P_PIDFD is 3 since Linux 5.4; older headers have no name for it. */
int nexus_wait_pidfd(int pidfd, struct nexus_wait *result, int keep) {
    return wait_for((idtype_t)3, (id_t)pidfd, keep ? WNOWAIT : 0, result);
}

int nexus_pidfd_open(int32_t pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int)fd;
}

int nexus_pidfd_send_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int nexus_get_limit(int resource, uint64_t *soft, uint64_t *hard) {
    struct rlimit64 limit;
    if (prlimit64(0, (enum __rlimit_resource)resource, NULL, &limit) < 0) return -errno;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    return 0;
}

int nexus_set_limit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit64 limit = {.rlim_cur = soft, .rlim_max = hard};
    return prlimit64(0, (enum __rlimit_resource)resource, &limit, NULL) < 0 ? -errno : 0;
}

int nexus_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int nexus_execute(const char *path, char *const *argv, char *const *envp) {
    execve(path, argv, envp);
    return -errno;
}

int nexus_execute_file(int fd, char *const *argv, char *const *envp) {
    syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
    return -errno;
}

char **nexus_environment(void) { return environ; }

void nexus_set_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/* O_PATH is a name and no file, and needs no /dev; it stays open across an exec, as what stands at 0 to 2 has to. */
void nexus_fill_standard_descriptors(void) {
    for (;;) {
        int fd = open("/", O_PATH | O_DIRECTORY);
        if (fd >= 0 && fd <= 2) continue;
        if (fd > 2) close(fd);
        return;
    }
}

int nexus_get_dumpable(void) { return prctl(PR_GET_DUMPABLE); }

static void fill(sigset_t *set, uint64_t mask) {
    sigemptyset(set);
    for (int signal = 1; signal <= 64; signal++)
        if (mask >> (signal - 1) & 1) sigaddset(set, signal);
}

int nexus_block_signals(uint64_t mask) {
    sigset_t set;
    fill(&set, mask);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int nexus_signalfd(uint64_t mask) {
    sigset_t set;
    fill(&set, mask);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int dispose(uint64_t mask, sighandler_t disposition) {
    for (int number = 1; number <= 64; number++)
        if (mask >> (number - 1) & 1 && signal(number, disposition) == SIG_ERR) return -errno;
    return 0;
}

int nexus_ignore_signals(uint64_t mask) { return dispose(mask, SIG_IGN); }

int nexus_default_signals(uint64_t mask) { return dispose(mask, SIG_DFL); }
