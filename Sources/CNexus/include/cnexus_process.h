/* Waiting, pidfds, limits and prctl(2): macros, variadics and types that Swift cannot see through <sys/resource.h>. */
#ifndef CNEXUS_PROCESS_H
#define CNEXUS_PROCESS_H
#include <stdint.h>

/* What waitid(2) said; pid 0: nothing has ended (WNOHANG). */
struct nexus_wait {
    int32_t pid;
    int32_t uid;
    /* CLD_EXITED, CLD_KILLED or CLD_DUMPED. */
    int32_t code;
    /* Exit code or signal number. */
    int32_t status;
    /* CPU time of the process and of those it has waited for, and the highest resident size of any one of them. */
    int64_t cpu_us;
    int64_t peak_kib;
};

/* One ended child of this process, with WEXITED | WNOHANG. `keep` leaves it waitable (WNOWAIT). */
int nexus_wait_any(struct nexus_wait *result, int keep);
/* The same for one child by its number, which is safe: an unreaped child's number is not used again. */
int nexus_wait_pid(int32_t pid, struct nexus_wait *result);
/* The same by pidfd. */
int nexus_wait_pidfd(int pidfd, struct nexus_wait *result, int keep);

/* pidfd_open(2), always close-on-exec. */
int nexus_pidfd_open(int32_t pid);
/* pidfd_send_signal(2). */
int nexus_pidfd_send_signal(int pidfd, int signal);

/* prlimit(2) on this process; UINT64_MAX is infinity. */
int nexus_get_limit(int resource, uint64_t *soft, uint64_t *hard);
int nexus_set_limit(int resource, uint64_t soft, uint64_t hard);

/* PR_SET_CHILD_SUBREAPER: orphans below this process become its children. */
int nexus_become_subreaper(void);

/* execve(2), and execveat(2) of an open file: another program in this process. Return only where that failed. */
int nexus_execute(const char *path, char *const *argv, char *const *envp);
int nexus_execute_file(int fd, char *const *argv, char *const *envp);
/* The environment of this process as it is now. */
char **nexus_environment(void);
/* PR_SET_NAME: a program that was executed by its descriptor has that number for a name. */
void nexus_set_name(const char *name);

/* Puts something at each of 0, 1 and 2 that the caller had closed, by which nothing can be read or written (EBADF, as before):
 * what is opened first would else be taken for stdin, stdout or stderr. */
void nexus_fill_standard_descriptors(void);

/* PR_GET_DUMPABLE: 1 as long as /proc/self belongs to this process's own user. */
int nexus_get_dumpable(void);

/* Blocks the signals of `mask` (bit n-1 is signal n) in the calling thread and every later one. */
int nexus_block_signals(uint64_t mask);
/* signalfd(2) of `mask`, non-blocking and close-on-exec. */
int nexus_signalfd(uint64_t mask);
/* SIG_IGN for each signal of `mask`. */
int nexus_ignore_signals(uint64_t mask);
/* SIG_DFL for each signal of `mask`. */
int nexus_default_signals(uint64_t mask);

#endif
