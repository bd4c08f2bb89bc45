/* The system calls that keep a pipe's lock while they wait for something else, refused to a child by a seccomp filter.
 *
 * splice(2) and sendfile(2) from a socket or terminal that says nothing into a pipe, and splice(2) out of one into a socket
 * that takes nothing, sleep with the pipe's mutex held (fs/splice.c). Whoever reads that pipe, or asks how full it is, then
 * waits uninterruptibly, O_NONBLOCK or not: a child could so hold up log-writer and nexusd by the pipe it was given.
 *
 * Only what can wait is refused. With an offset the kernel takes files alone that can be read or written at one, which
 * neither socket nor terminal can, so both calls go on as ever for files; without one they answer EINVAL, as they do for
 * files that cannot be spliced, and callers read and write instead. io_uring, whose splice looks the same and passes no
 * filter, is not there (ENOSYS), as in most containers.
 *
 * All numbers but these are allowed without a look at arguments, which the kernel notes in a bitmap: they cost nothing. */
#include "cnexus.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define OTHER AUDIT_ARCH_I386
#define OTHER_SPLICE 313
/* x32 has the numbers of x86-64 and this bit. */
#define NUMBER_MASK (~0x40000000U)
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#define OTHER AUDIT_ARCH_ARM
#define OTHER_SPLICE 340
#define NUMBER_MASK (~0U)
#else
#error "name the audit architecture of this machine, and of the other programs that it runs"
#endif
/* The same on i386 and arm. */
#define OTHER_SENDFILE 187
#define OTHER_SENDFILE64 239
#define OTHER_IO_URING_SETUP 425

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
/* Both halves of an argument; little-endian, as both machines are. */
#define LOW(argument) LOAD(offsetof(struct seccomp_data, args[argument]))
#define HIGH(argument) LOAD(offsetof(struct seccomp_data, args[argument]) + 4)
/* Instruction `here` goes on at `yes` when what was loaded is `value`, else at `no`. */
#define IF(here, value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes) - (here) - 1, (no) - (here) - 1)
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))

enum { OTHER_NUMBERS = 7, SPLICE = 13, SENDFILE = 21, ALLOWED = 25, INVALID = 26, ABSENT = 27 };

static struct sock_filter instructions[] = {
    [0] = LOAD(offsetof(struct seccomp_data, arch)),
    [1] = IF(1, NATIVE, 2, OTHER_NUMBERS),
    [2] = LOAD(offsetof(struct seccomp_data, nr)),
    [3] = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, NUMBER_MASK),
    [4] = IF(4, SYS_splice, SPLICE, 5),
    [5] = IF(5, SYS_sendfile, SENDFILE, 6),
    [6] = IF(6, SYS_io_uring_setup, ABSENT, ALLOWED),
    [OTHER_NUMBERS] = IF(OTHER_NUMBERS, OTHER, 8, ALLOWED),
    [8] = LOAD(offsetof(struct seccomp_data, nr)),
    [9] = IF(9, OTHER_SPLICE, SPLICE, 10),
    [10] = IF(10, OTHER_SENDFILE, SENDFILE, 11),
    [11] = IF(11, OTHER_SENDFILE64, SENDFILE, 12),
    [12] = IF(12, OTHER_IO_URING_SETUP, ABSENT, ALLOWED),
    /* Neither the target's offset nor the source's. */
    [SPLICE] = LOW(3),
    [14] = IF(14, 0, 15, ALLOWED),
    [15] = HIGH(3),
    [16] = IF(16, 0, 17, ALLOWED),
    [17] = LOW(1),
    [18] = IF(18, 0, 19, ALLOWED),
    [19] = HIGH(1),
    [20] = IF(20, 0, INVALID, ALLOWED),
    [SENDFILE] = LOW(2),
    [22] = IF(22, 0, 23, ALLOWED),
    [23] = HIGH(2),
    [24] = IF(24, 0, INVALID, ALLOWED),
    [ALLOWED] = ANSWER(SECCOMP_RET_ALLOW),
    [INVALID] = ANSWER(SECCOMP_RET_ERRNO | EINVAL),
    [ABSENT] = ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
};

const struct sock_fprog nexus_pipe_filter = {
    .len = sizeof instructions / sizeof instructions[0],
    .filter = instructions,
};
