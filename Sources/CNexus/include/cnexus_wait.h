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

/* One malloc arena for all threads, and a fixed threshold above which memory is mapped and unmapped by itself: glibc's
 * defaults give each thread an arena and raise the threshold with use, and neither ever comes back to the kernel. */
static inline void nexus_keep_heap_small(void) {
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

#endif
