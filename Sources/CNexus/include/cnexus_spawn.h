/* One clone3 with a pidfd; between clone and exec only raw syscalls (see spawn.c). */
#ifndef CNEXUS_SPAWN_H
#define CNEXUS_SPAWN_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a spawn failed; the numbers are those of SupervisorCore.SpawnStage, a test compares them. */
enum nexus_spawn_stage {
    NEXUS_STAGE_PREPARE = 0,
    NEXUS_STAGE_CGROUP,
    NEXUS_STAGE_CLONE,
    NEXUS_STAGE_SESSION,
    NEXUS_STAGE_SCHEDULING,
    NEXUS_STAGE_FILES,
    NEXUS_STAGE_LIMITS,
    NEXUS_STAGE_IDENTITY,
    NEXUS_STAGE_DIRECTORY,
    NEXUS_STAGE_PRIVILEGES,
    NEXUS_STAGE_SIGNALS,
    NEXUS_STAGE_EXEC,
};

/* One resource limit, as prlimit64(2) takes it; UINT64_MAX is infinity. */
struct nexus_limit {
    int32_t resource;
    uint64_t soft;
    uint64_t hard;
};

/* What a child that could not be executed writes to its report before it ends; one that was executed writes nothing. */
struct nexus_spawn_report {
    int32_t stage;
    int32_t error;
};

/* Everything a child is given. Pointers must stay valid until nexus_spawn returns; the child writes to its copies of
 * `sources` and `pid_slots`. */
struct nexus_spawn_request {
    const char *path;
    char *const *argv;
    char *const *envp;
    const char *directory;

    /* Descriptor sources[i] becomes targets[i]; targets rise strictly. Everything else is closed at exec. */
    int *sources;
    const int *targets;
    size_t descriptor_count;

    const struct nexus_limit *limits;
    size_t limit_count;

    /* Buffers of NEXUS_PID_SLOT bytes inside envp that receive the child's own pid and a NUL (WATCHDOG_PID=, …). */
    char *const *pid_slots;
    size_t pid_slot_count;

    /* uid, gid and groups are set only with change_identity. */
    int change_identity;
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t group_count;

    /* Capabilities (capabilities(7)), bit N for capability N. With limit_bounding the bounding set is cut down to
     * `bounding`; NEXUS_CAPABILITIES_TRIED: if the caller may do that. With set_capabilities the child has exactly
     * `ambient` in its ambient and inheritable sets and, unless it stays root, in the others. */
    int limit_bounding;
    uint64_t bounding;
    int set_capabilities;
    uint64_t ambient;

    /* The name (comm, 15 bytes and a NUL) from the clone to the exec, which gives the program's; NULL: the caller's. */
    const char *waiting_name;
    int new_session;
    /* Descriptor 0 is a terminal and becomes that of the new session (TIOCSCTTY). */
    int takes_terminal;
    int nice;
    int oom_score_adjust;
    unsigned umask;
    int no_new_privileges;
    /* What keeps a pipe's lock while it waits is refused (pipe_filter.c); wants no_new_privileges. */
    int refuse_pipe_holds;
    /* PR_SET_PDEATHSIG; 0: none. */
    int death_signal;
    /* An O_PATH or O_RDONLY descriptor of a cgroup v2 directory; -1: stay in the caller's. */
    int cgroup;

    /* Set by nexus_spawn: the child's end of the report. */
    int report;

    /* Results when there is no process: the stage that failed and its errno. */
    int32_t stage;
    int32_t error;
};

/* Values of limit_bounding: an error when it cannot be, or left alone then. */
#define NEXUS_CAPABILITIES_REQUIRED 1
#define NEXUS_CAPABILITIES_TRIED 2

/* Ten digits of a 32-bit pid and a NUL. */
#define NEXUS_PID_SLOT 11

/* Starts a child. Returns its pid and stores its pidfd and the reading end of its report (non-blocking); or returns -errno
 * with request->stage set: then there is no process. Does not wait: that it was executed shows by the report's end without
 * a word, a failure is a nexus_spawn_report, and the process then ends by itself with 127 and has to be reaped. */
int nexus_spawn(struct nexus_spawn_request *request, int *pidfd, int *report);

#endif
