/* The C shims of nexusd and log-writer: feature macros, variadics and macros as inline functions, and the spawn.
 * Swift sees epoll, pidfd, signalfd, timerfd, splice and friends through this header because _GNU_SOURCE is set first.
 * Every nexus_ call returns -errno on failure and restarts nothing by itself. */
#ifndef CNEXUS_H
#define CNEXUS_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
/* _GNU_SOURCE renames a member of fd_set, and Swift refuses the type when its own Glibc module, which is built without
 * it, has the other name. */
#include <features.h>
#undef __USE_XOPEN
#include <sys/select.h>
#define __USE_XOPEN 1
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "cnexus_access.h"
#include "cnexus_file.h"
#include "cnexus_process.h"
#include "cnexus_sanitizer.h"
#include "cnexus_socket.h"
#include "cnexus_spawn.h"
#include "cnexus_wait.h"

#endif
