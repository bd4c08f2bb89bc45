/* One clone3 with a pidfd; between clone and exec only raw syscalls (see spawn.c). */
#ifndef CNEXUS_SPAWN_H
#define CNEXUS_SPAWN_H
#include <stdint.h>

int nexus_placeholder(void);

#endif
