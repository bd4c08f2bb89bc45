/* Sockets: addresses, and messages with descriptors and credentials (CMSG_* are macros). */
#ifndef CNEXUS_SOCKET_H
#define CNEXUS_SOCKET_H
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* At most this many descriptors travel in one message, in either direction. */
#define NEXUS_MESSAGE_DESCRIPTORS 16

/* A socket address of any family; opaque to Swift. */
struct nexus_address {
    struct sockaddr_storage storage;
    socklen_t length;
};

/* unix(7): a path, or an abstract name when `abstract` is set. -ENAMETOOLONG above 107 bytes, -EINVAL when empty. */
int nexus_unix_address(struct nexus_address *address, const uint8_t *name, size_t length, int abstract);
/* ip(7), `host` in network order. */
void nexus_inet_address(struct nexus_address *address, const uint8_t host[4], uint16_t port);
/* ipv6(7). */
void nexus_inet6_address(struct nexus_address *address, const uint8_t host[16], uint16_t port);

/* socket(2): non-blocking and close-on-exec. */
int nexus_socket(int family, int type);
/* socketpair(2), AF_UNIX; close-on-exec; each end non-blocking where asked. */
int nexus_socketpair(int type, int fds[2], int first_blocks, int second_blocks);
/* Before bind(2): SO_REUSEADDR, IPV6_V6ONLY where it means something, and O_NONBLOCK taken away. */
int nexus_prepare_listening(int fd);
int nexus_bind(int fd, const struct nexus_address *address);
int nexus_listen(int fd, int backlog);
/* accept4(2): non-blocking and close-on-exec. */
int nexus_accept(int fd);
int nexus_connect(int fd, const struct nexus_address *address);
/* The port a TCP socket is bound to. */
int nexus_bound_port(int fd);

/* Who is at the other end of a connected unix socket, when it connected (SO_PEERCRED). */
struct nexus_credentials {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};
int nexus_peer_credentials(int fd, struct nexus_credentials *credentials);
/* SO_PEERGROUPS: the number of groups, at most `capacity` of them written; -ERANGE when there are more. */
int nexus_peer_groups(int fd, uint32_t *groups, size_t capacity);
/* SO_PASSCRED: every message is received with its sender's credentials. */
int nexus_pass_credentials(int fd);
/* SO_PASSRIGHTS (Linux 6.16) off: whoever sends descriptors to this socket, or to one accepted from it, gets EPERM.
 * -ENOPROTOOPT where the kernel does not know it. */
int nexus_refuse_descriptors(int fd);
/* SO_ERROR: the errno of a finished non-blocking connect, 0 for success. */
int nexus_pending_error(int fd);
/* SO_SNDBUF (without privilege capped by net.core.wmem_max). */
int nexus_set_send_buffer(int fd, int bytes);

/* sendmsg(2) with MSG_NOSIGNAL | MSG_DONTWAIT; descriptors go by SCM_RIGHTS. `to` may be NULL. */
int64_t nexus_send(
    int fd, const void *bytes, size_t length, const int *descriptors, size_t count, const struct nexus_address *to);

/* What one recvmsg(2) brought. */
struct nexus_received {
    /* Bytes of the message that were stored. */
    int64_t length;
    int descriptors[NEXUS_MESSAGE_DESCRIPTORS];
    size_t descriptor_count;
    /* SCM_CREDENTIALS, when the socket asks for them. */
    struct nexus_credentials credentials;
    int has_credentials;
    /* MSG_TRUNC: the message was longer than the buffer. MSG_CTRUNC: descriptors were lost. */
    int truncated;
    int descriptors_lost;
};
/* recvmsg(2) with MSG_DONTWAIT | MSG_CMSG_CLOEXEC. Every descriptor in the result is the caller's to close. */
int nexus_receive(int fd, void *buffer, size_t capacity, struct nexus_received *result);
/* The same with MSG_PEEK: the message stays in the queue; its descriptors are duplicates. */
int nexus_peek(int fd, void *buffer, size_t capacity, struct nexus_received *result);
/* What the next message, or the bytes up to the first one with descriptors, look like. Nothing is taken from the queue and
 * no descriptor is made: there is room for credentials alone, so the kernel says MSG_CTRUNC where others ride along.
 * `credentials`: the socket has SO_PASSCRED. */
int nexus_look(int fd, void *buffer, size_t capacity, int credentials, struct nexus_received *result);
/* Takes one message without its descriptors: the kernel lets go of them, and if that takes time, in this call. */
int nexus_drop_message(int fd);
/* SO_PEEK_OFF: each peek goes on behind the one before, so that several messages can be looked at before any is taken. */
int nexus_peek_in_turn(int fd);

#endif
