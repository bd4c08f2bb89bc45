/* For the sanitizers of scripts/checks/sanitizers, which says NEXUS_SANITIZER; without it nothing is left of this.
 * ThreadSanitizer cannot see the mutex of Swift's Synchronization, which is a futex inside the standard library, and that
 * is not instrumented. The names are those of compiler-rt's tsan_interface.h. */
#ifndef CNEXUS_SANITIZER_H
#define CNEXUS_SANITIZER_H
#if defined(NEXUS_SANITIZER) && NEXUS_SANITIZER == 2
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#else
#define __tsan_acquire(address) (void)(address)
#define __tsan_release(address) (void)(address)
#endif

static inline void nexus_sanitizer_acquired(void *lock) { __tsan_acquire(lock); }
static inline void nexus_sanitizer_releases(void *lock) { __tsan_release(lock); }
#endif
