#include "cnexus.h"

#include <netinet/in.h>

int nexus_unix_address(struct nexus_address *address, const uint8_t *name, size_t length, int abstract) {
    struct sockaddr_un *target = (struct sockaddr_un *)&address->storage;
    memset(address, 0, sizeof *address);
    target->sun_family = AF_UNIX;
    if (length == 0) return -EINVAL;
    /* One byte is the terminating NUL of a path, or the leading NUL of an abstract name. */
    if (length + 1 > sizeof target->sun_path) return -ENAMETOOLONG;
    memcpy(target->sun_path + (abstract ? 1 : 0), name, length);
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return 0;
}

void nexus_inet_address(struct nexus_address *address, const uint8_t host[4], uint16_t port) {
    struct sockaddr_in *target = (struct sockaddr_in *)&address->storage;
    memset(address, 0, sizeof *address);
    target->sin_family = AF_INET;
    target->sin_port = htons(port);
    memcpy(&target->sin_addr, host, 4);
    address->length = sizeof *target;
}

void nexus_inet6_address(struct nexus_address *address, const uint8_t host[16], uint16_t port) {
    struct sockaddr_in6 *target = (struct sockaddr_in6 *)&address->storage;
    memset(address, 0, sizeof *address);
    target->sin6_family = AF_INET6;
    target->sin6_port = htons(port);
    memcpy(&target->sin6_addr, host, 16);
    address->length = sizeof *target;
}

int nexus_socket(int family, int type) {
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

int nexus_socketpair(int type, int fds[2], int first_blocks, int second_blocks) {
    if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0) return -errno;
    /* The two ends are two open file descriptions: the flag of one does not touch the other. */
    if (first_blocks) fcntl(fds[0], F_SETFL, O_RDWR);
    if (second_blocks) fcntl(fds[1], F_SETFL, O_RDWR);
    return 0;
}

int nexus_bind(int fd, const struct nexus_address *address) {
    return bind(fd, (const struct sockaddr *)&address->storage, address->length) < 0 ? -errno : 0;
}

int nexus_listen(int fd, int backlog) { return listen(fd, backlog) < 0 ? -errno : 0; }

int nexus_accept(int fd) {
    int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return accepted < 0 ? -errno : accepted;
}

int nexus_connect(int fd, const struct nexus_address *address) {
    return connect(fd, (const struct sockaddr *)&address->storage, address->length) < 0 ? -errno : 0;
}

int nexus_bound_port(int fd) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &length) < 0) return -errno;
    if (storage.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&storage)->sin_port);
    if (storage.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&storage)->sin6_port);
    return -EAFNOSUPPORT;
}

int nexus_peer_credentials(int fd, struct nexus_credentials *credentials) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    *credentials = (struct nexus_credentials){.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
    return 0;
}

int nexus_peer_groups(int fd, uint32_t *groups, size_t capacity) {
    socklen_t length = (socklen_t)(capacity * sizeof *groups);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0) return -errno;
    return (int)(length / sizeof *groups);
}

static int set_option(int fd, int option, int value) {
    return setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) < 0 ? -errno : 0;
}

int nexus_pass_credentials(int fd) { return set_option(fd, SO_PASSCRED, 1); }

/* 83 in asm-generic/socket.h since Linux 6.16 (architectures with numbers of their own are none of ours); older headers
 * have no name for it. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
int nexus_refuse_descriptors(int fd) { return set_option(fd, SO_PASSRIGHTS, 0); }

int nexus_prepare_listening(int fd) {
    int family = 0, on = 1;
    socklen_t length = sizeof family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0) return -errno;
    if (family != AF_UNIX && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return -errno;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) return -errno;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0) return -errno;
    return 0;
}

int nexus_set_send_buffer(int fd, int bytes) { return set_option(fd, SO_SNDBUF, bytes); }

int nexus_pending_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
    return error;
}

int64_t nexus_send(
    int fd, const void *bytes, size_t length, const int *descriptors, size_t count, const struct nexus_address *to) {
    /* The union gives the buffer the alignment of a header. */
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(NEXUS_MESSAGE_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > NEXUS_MESSAGE_DESCRIPTORS) return -E2BIG;
    if (to) {
        message.msg_name = (void *)&to->storage;
        message.msg_namelen = to->length;
    }
    if (count > 0) {
        memset(&control, 0, sizeof control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    }
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}

static void take_descriptors(const struct cmsghdr *header, struct nexus_received *result) {
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < count; index++) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + index * sizeof(int), sizeof fd);
        if (result->descriptor_count < NEXUS_MESSAGE_DESCRIPTORS)
            result->descriptors[result->descriptor_count++] = fd;
        else
            close(fd); /* cannot be reached with the buffer below; a leak would be worse than a dead line */
    }
}

static int receive(
    int fd, void *buffer, size_t capacity, int flags, size_t control_room, struct nexus_received *result) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(NEXUS_MESSAGE_DESCRIPTORS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control_room > 0 ? &control : NULL,
        .msg_controllen = control_room < sizeof control ? control_room : sizeof control};
    memset(result, 0, sizeof *result);
    ssize_t length = recvmsg(fd, &message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0) return -errno;
    result->length = length;
    result->truncated = (message.msg_flags & MSG_TRUNC) != 0;
    result->descriptors_lost = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET) continue;
        if (header->cmsg_type == SCM_RIGHTS) take_descriptors(header, result);
        if (header->cmsg_type == SCM_CREDENTIALS) {
            struct ucred sender;
            memcpy(&sender, CMSG_DATA(header), sizeof sender);
            result->credentials =
                (struct nexus_credentials){.pid = sender.pid, .uid = sender.uid, .gid = sender.gid};
            result->has_credentials = 1;
        }
    }
    return 0;
}

int nexus_receive(int fd, void *buffer, size_t capacity, struct nexus_received *result) {
    return receive(fd, buffer, capacity, 0, SIZE_MAX, result);
}

int nexus_peek(int fd, void *buffer, size_t capacity, struct nexus_received *result) {
    return receive(fd, buffer, capacity, MSG_PEEK, SIZE_MAX, result);
}

int nexus_look(int fd, void *buffer, size_t capacity, int credentials, struct nexus_received *result) {
    return receive(fd, buffer, capacity, MSG_PEEK, credentials ? CMSG_SPACE(sizeof(struct ucred)) : 0, result);
}

int nexus_drop_message(int fd) {
    struct nexus_received ignored;
    char nothing;
    return receive(fd, &nothing, 1, 0, 0, &ignored);
}

int nexus_peek_in_turn(int fd) {
    int offset = 0;
    return setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset) < 0 ? -errno : 0;
}
