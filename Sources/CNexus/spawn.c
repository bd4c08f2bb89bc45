/* The spawn: clone3(CLONE_PIDFD), set-up of the child by raw syscalls, execve. Nobody waits: the child has a copy of this
 * process's memory, and tells by a pipe how far it got (nothing and its end: executed; stage and errno: failed).
 *
 * Not vfork: its caller stands still until execve is done, and that takes as long as the owner of the program file likes
 * (a lease, F_SETLEASE: 45 s; a file system in user space: for ever), or whoever has the child's uid and stops it in
 * between. Not CLONE_VM alone either: the memory of nexusd would lie open to a process of another uid for all that time,
 * and writing oom_score_adj would write nexusd's own (proc(5): it is one for all who share the memory). The price is a copy
 * of the page tables of a process of less than a MiB, 10 µs, and a copy of each page that is written before the exec.
 *
 * Between clone and exec: no malloc, no locks, no stdio, and no libc wrapper that acts on all threads (glibc's setuid
 * would look for threads that are not there).
 *
 * The child closes what it is not given as soon as it has what it is given, not only at exec: one that waits in its exec
 * would keep sockets, locks and pipes of nexusd open.
 *
 * What is not fatal, on purpose:
 *  - oom_score_adj refused with EACCES, EPERM or EROFS. Lowering it needs CAP_SYS_RESOURCE; an unprivileged supervisor
 *    has no score to hide, so what its children inherit is harmless. Raising it is always permitted.
 *  - nice 0, the default, refused with EACCES or EPERM: an unprivileged caller with a niceness of its own cannot go
 *    back. Any other value was asked for, and its refusal is an error.
 *  - setgroups refused with EPERM when uid and gid are the caller's own: then nothing was to be changed.
 *  - a seccomp filter refused with EINVAL or ENOSYS: this kernel has none, and nobody gets more rights by its absence.
 * A limit that cannot be set is always an error (stage limits): it was written down, so it is relied upon. */
#include "cnexus.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

/* Sanitizers keep locks and shadow state that other threads may be holding at the clone. */
#define UNCHECKED __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

/* Of pipe_filter.c. */
extern const struct sock_fprog nexus_pipe_filter;

/* What the functions of the child take of the stack, and more. */
#define CHILD_STACK ((size_t)8 * 1024)

struct spawn {
    struct nexus_spawn_request *request;
    /* Fallback only: clone(2) cannot place the child into a cgroup, so the child moves itself. */
    int join_cgroup;
    pid_t parent;
};

UNCHECKED static long raw(long number, long a, long b, long c, long d) {
    /* The fifth is always 0: prctl(2) refuses options whose unused arguments are not. */
    long result = syscall(number, a, b, c, d, 0L);
    return result < 0 ? -errno : result;
}

#define RAW0(name) raw(SYS_##name, 0, 0, 0, 0)
#define RAW1(name, a) raw(SYS_##name, (long)(a), 0, 0, 0)
#define RAW2(name, a, b) raw(SYS_##name, (long)(a), (long)(b), 0, 0)
#define RAW3(name, a, b, c) raw(SYS_##name, (long)(a), (long)(b), (long)(c), 0)
#define RAW4(name, a, b, c, d) raw(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d))

UNCHECKED static void fail(struct nexus_spawn_request *request, enum nexus_spawn_stage stage, long error) {
    struct nexus_spawn_report report = {.stage = (int32_t)stage, .error = (int32_t)-error};
    RAW3(write, request->report, &report, sizeof report);
    for (;;) RAW1(exit_group, 127);
}

/* Decimal digits of a non-negative number and a NUL; snprintf is not async-signal-safe. */
UNCHECKED static size_t decimal(char *target, long value) {
    char digits[20];
    size_t count = 0, written = 0;
    do digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (count > 0) target[written++] = digits[--count];
    target[written] = 0;
    return written;
}

/* Opens, writes and closes; the result of the write, or of the open. */
UNCHECKED static long write_file(int directory, const char *path, const char *bytes, size_t length) {
    long fd = RAW4(openat, directory, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0) return fd;
    long written = RAW3(write, fd, bytes, length);
    RAW1(close, fd);
    return written < 0 ? written : 0;
}

UNCHECKED static long write_oom_score(int score) {
    char text[8];
    size_t sign = score < 0;
    text[0] = '-';
    size_t length = sign + decimal(text + sign, score < 0 ? -(long)score : score);
    return write_file(AT_FDCWD, "/proc/self/oom_score_adj", text, length);
}

UNCHECKED static void schedule(struct nexus_spawn_request *request) {
    long error = write_oom_score(request->oom_score_adjust);
    if (error < 0 && error != -EACCES && error != -EPERM && error != -EROFS)
        fail(request, NEXUS_STAGE_SCHEDULING, error);
    error = RAW3(setpriority, PRIO_PROCESS, 0, request->nice);
    /* A seccomp filter may answer in the kernel's place and do nothing (our unit's does). The bare call gives 20 - nice. */
    if (error >= 0 && request->nice != 0 && RAW2(getpriority, PRIO_PROCESS, 0) != 20 - request->nice) error = -EPERM;
    if (error < 0 && !(request->nice == 0 && (error == -EACCES || error == -EPERM)))
        fail(request, NEXUS_STAGE_SCHEDULING, error);
    RAW1(umask, request->umask);
}

/* Sources that a target would overwrite are first moved above every target; then the targets are filled. What tells of
 * failures comes right behind them. */
UNCHECKED static void place_files(struct nexus_spawn_request *request) {
    size_t count = request->descriptor_count;
    int above = count > 0 ? request->targets[count - 1] + 1 : 0;
    if (request->report < above) {
        long moved = RAW3(fcntl, request->report, F_DUPFD_CLOEXEC, above);
        if (moved < 0) fail(request, NEXUS_STAGE_FILES, moved);
        request->report = (int)moved;
    }
    for (size_t i = 0; i < count; i++) {
        if (request->sources[i] >= above || request->sources[i] == request->targets[i]) continue;
        long moved = RAW3(fcntl, request->sources[i], F_DUPFD_CLOEXEC, above);
        if (moved < 0) fail(request, NEXUS_STAGE_FILES, moved);
        request->sources[i] = (int)moved;
    }
    int next = 0;
    for (size_t i = 0; i < count; i++) {
        int source = request->sources[i], target = request->targets[i];
        long error = source == target ? RAW3(fcntl, target, F_SETFD, 0) : RAW3(dup3, source, target, 0);
        if (error < 0) fail(request, NEXUS_STAGE_FILES, error);
        if (target > next) RAW3(close_range, next, target - 1, 0);
        next = target + 1;
    }
    if (request->report != next) {
        long moved = RAW3(dup3, request->report, next, O_CLOEXEC);
        if (moved < 0) fail(request, NEXUS_STAGE_FILES, moved);
        request->report = next;
    }
    long error = RAW3(close_range, next + 1, ~0U, 0);
    if (error < 0) fail(request, NEXUS_STAGE_FILES, error);
}

UNCHECKED static void set_limits(struct nexus_spawn_request *request) {
    for (size_t i = 0; i < request->limit_count; i++) {
        const struct nexus_limit *limit = &request->limits[i];
        struct rlimit64 value = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
        long error = RAW4(prlimit64, 0, limit->resource, &value, 0);
        if (error < 0) fail(request, NEXUS_STAGE_LIMITS, error);
    }
}

/* The kernel says EINVAL above the last capability it has. Needs CAP_SETPCAP, so it comes before the uid is changed. */
UNCHECKED static void limit_capabilities(struct nexus_spawn_request *request) {
    if (!request->limit_bounding) return;
    for (int capability = 0; capability < 64; capability++) {
        if (request->bounding >> capability & 1) continue;
        long error = RAW4(prctl, PR_CAPBSET_DROP, capability, 0, 0);
        if (error == -EINVAL) return;
        if (error == -EPERM && request->limit_bounding == NEXUS_CAPABILITIES_TRIED) return;
        if (error < 0) fail(request, NEXUS_STAGE_PRIVILEGES, error);
    }
}

/* After the uid change, across which PR_SET_KEEPCAPS kept the permitted set. The ambient set wants what it holds in the
 * permitted and the inheritable set (prctl(2)); what nexusd could inherit itself is not handed on. */
UNCHECKED static void set_capabilities(struct nexus_spawn_request *request) {
    if (!request->set_capabilities) return;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    long error = RAW2(capget, &header, data);
    if (error < 0) fail(request, NEXUS_STAGE_PRIVILEGES, error);
    int is_root = RAW0(geteuid) == 0;
    for (int half = 0; half < 2; half++) {
        uint32_t set = (uint32_t)(request->ambient >> 32 * half);
        data[half].inheritable = set;
        /* Root's come back at exec, as far as the bounding set lets them; until then it needs what it has. */
        if (!is_root) data[half].permitted = data[half].effective = set;
    }
    if ((error = RAW2(capset, &header, data)) < 0) fail(request, NEXUS_STAGE_PRIVILEGES, error);
    for (int capability = 0; capability < 64; capability++) {
        if (!(request->ambient >> capability & 1)) continue;
        error = RAW4(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0);
        if (error < 0) fail(request, NEXUS_STAGE_PRIVILEGES, error);
    }
}

/* Groups before the uid: afterwards there is no right to change them. */
UNCHECKED static void change_identity(struct nexus_spawn_request *request) {
    if (!request->change_identity) return;
    long error;
    if (request->ambient && (error = RAW4(prctl, PR_SET_KEEPCAPS, 1, 0, 0)) < 0)
        fail(request, NEXUS_STAGE_PRIVILEGES, error);
    int same = RAW0(geteuid) == (long)request->uid && RAW0(getegid) == (long)request->gid;
    error = RAW2(setgroups, request->group_count, request->groups);
    if (error < 0 && !(error == -EPERM && same)) fail(request, NEXUS_STAGE_IDENTITY, error);
    error = RAW3(setresgid, request->gid, request->gid, request->gid);
    if (error < 0) fail(request, NEXUS_STAGE_IDENTITY, error);
    error = RAW3(setresuid, request->uid, request->uid, request->uid);
    if (error < 0) fail(request, NEXUS_STAGE_IDENTITY, error);
}

UNCHECKED static void drop_privileges(struct nexus_spawn_request *request, pid_t parent) {
    long error;
    if (request->no_new_privileges && (error = RAW4(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0)) < 0)
        fail(request, NEXUS_STAGE_PRIVILEGES, error);
    /* Without the flag some kernels would take a filter for a wish to run without speculation, at a high price. */
    if (request->refuse_pipe_holds
        && (error = RAW3(seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &nexus_pipe_filter)) < 0
        && error != -EINVAL && error != -ENOSYS)
        fail(request, NEXUS_STAGE_PRIVILEGES, error);
    if (request->death_signal == 0) return;
    /* After the uid change, which clears it (prctl(2)); a parent that died before is noticed here. */
    if ((error = RAW2(prctl, PR_SET_PDEATHSIG, request->death_signal)) < 0)
        fail(request, NEXUS_STAGE_PRIVILEGES, error);
    if (RAW0(getppid) != parent) fail(request, NEXUS_STAGE_PRIVILEGES, -ESRCH);
}

/* Ignored signals survive exec and CLONE_CLEAR_SIGHAND, so each is set to its default; the mask is emptied last. */
UNCHECKED static void reset_signals(struct nexus_spawn_request *request) {
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {0};
    for (int signal = 1; signal <= 64; signal++)
        if (signal != SIGKILL && signal != SIGSTOP) RAW4(rt_sigaction, signal, &action, 0, sizeof action.mask);
    uint64_t empty = 0;
    long error = RAW4(rt_sigprocmask, SIG_SETMASK, &empty, 0, sizeof empty);
    if (error < 0) fail(request, NEXUS_STAGE_SIGNALS, error);
}

UNCHECKED static void child(struct spawn *spawn) {
    struct nexus_spawn_request *request = spawn->request;
    long error;
    /* First of all, for whatever comes may have to be waited for. It cannot fail. */
    if (request->waiting_name) RAW4(prctl, PR_SET_NAME, request->waiting_name, 0, 0);
    if (spawn->join_cgroup && (error = write_file(request->cgroup, "cgroup.procs", "0", 1)) < 0)
        fail(request, NEXUS_STAGE_CGROUP, error);
    if (request->new_session && (error = RAW0(setsid)) < 0) fail(request, NEXUS_STAGE_SESSION, error);
    schedule(request);
    place_files(request);
    if (request->takes_terminal && (error = RAW3(ioctl, 0, TIOCSCTTY, 0)) < 0)
        fail(request, NEXUS_STAGE_SESSION, error);
    set_limits(request);
    long self = RAW0(getpid);
    for (size_t i = 0; i < request->pid_slot_count; i++) decimal(request->pid_slots[i], self);
    limit_capabilities(request);
    change_identity(request);
    set_capabilities(request);
    /* As the child's own user: nexusd needs no right to look past file modes for it. */
    if ((error = RAW1(chdir, request->directory)) < 0) fail(request, NEXUS_STAGE_DIRECTORY, error);
    drop_privileges(request, spawn->parent);
    reset_signals(request);
    fail(request, NEXUS_STAGE_EXEC, RAW3(execve, request->path, request->argv, request->envp));
}

/* Containers' seccomp filters may answer clone3 with ENOSYS; then clone(2) does the same but for the cgroup and the
 * signal handlers, which reset_signals sets to their defaults anyway. Both return twice, as fork(2) does. */
UNCHECKED static long clone_child(struct spawn *spawn, int *pidfd) {
    struct nexus_spawn_request *request = spawn->request;
    struct clone_args arguments = {
        .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
    };
    if (request->cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)request->cgroup;
    }
    long pid = RAW2(clone3, &arguments, sizeof arguments);
    if (pid != -ENOSYS) return pid;
    spawn->join_cgroup = request->cgroup >= 0;
    return RAW3(clone, CLONE_PIDFD | SIGCHLD, 0, pidfd);
}

/* The pages below the stack are there before the clone: the child's own limits may allow no new ones. */
UNCHECKED static void reserve_stack(void) {
    volatile char room[CHILD_STACK];
    for (size_t i = 0; i < sizeof room; i += 4096) room[i] = 0;
    room[0] = room[sizeof room - 1];
}

static int clone_failed(struct nexus_spawn_request *request, long error) {
    int cgroup_refused = request->cgroup >= 0
        && (error == -EBUSY || error == -EOPNOTSUPP || error == -EACCES || error == -EBADF || error == -ENODEV);
    request->stage = cgroup_refused ? NEXUS_STAGE_CGROUP : NEXUS_STAGE_CLONE;
    request->error = (int32_t)-error;
    return (int)error;
}

UNCHECKED int nexus_spawn(struct nexus_spawn_request *request, int *pidfd, int *report) {
    struct spawn spawn = {.request = request, .parent = getpid()};
    int ends[2];
    *pidfd = *report = -1;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        request->stage = NEXUS_STAGE_PREPARE;
        request->error = errno;
        return -errno;
    }
    request->report = ends[1];
    reserve_stack();
    /* No signal may reach the child while it could still run a handler of ours. */
    uint64_t all = ~(uint64_t)0, before = 0;
    RAW4(rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
    long pid = clone_child(&spawn, pidfd);
    if (pid == 0) child(&spawn);
    RAW4(rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return clone_failed(request, pid);
    }
    *report = ends[0];
    return (int)pid;
}
