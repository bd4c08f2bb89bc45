/* Waiting with nanoseconds (ppoll(2)), and the two settings a lean process with threads needs; both calls are variadic
 * or macros in disguise. */
#ifndef CNEXUS_WAIT_H
#define CNEXUS_WAIT_H
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/prctl.h>

/* PR_SET_TIMERSLACK of the calling thread. */
static inline void nexus_set_timer_slack(uint64_t nanoseconds) {
    (void)prctl(PR_SET_TIMERSLACK, (unsigned long)nanoseconds, 0, 0, 0);
}

/* One malloc arena for all threads: glibc's default gives each thread its own, which costs memory and never comes back. */
static inline void nexus_use_one_arena(void) { (void)mallopt(M_ARENA_MAX, 1); }

/* Gives what malloc holds free at the top of the heap back to the kernel. */
static inline void nexus_trim_heap(void) { (void)malloc_trim(0); }

#endif
