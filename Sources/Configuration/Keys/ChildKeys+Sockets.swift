import Plan
import SupervisorCore

/// Keys of one element of `sockets`.
enum SocketKeys {
    static let list = Key<[Node]?>(
        "sockets", type: "array of tables", shape: .list(of: .section("sockets"), count: 0...SocketPlan.limit),
        initial: nil, shown: "none",
        "Listening sockets that nexusd opens before the first start and keeps while the child restarts; the child gets"
            + " them as fds 3, 4, … (a worker 5, 6, …) with $LISTEN_FDS (sd_listen_fds(3))."
    ) { node throws(Mismatch) in try node.list(of: "tables such as { name = \"web\", listen = \"127.0.0.1:8080\" }") }

    static let name = Key.text("name", shown: "required", range: Name.form, form: .name, "Its name in $LISTEN_FDNAMES.")
    static let listen = Key.text(
        "listen", shown: "required",
        range: "ADDRESS:PORT, [ADDRESS]:PORT, localhost:PORT (127.0.0.1) or an absolute path",
        form: .listen, isAddress: true,
        "Where it listens: IPv4, IPv6, or a unix socket, whose path may name {runtime} and {state}.")
    static let type = Key.word(
        "type", "stream", [("stream", .stream), ("datagram", .datagram)], value: SocketType.stream,
        "TCP or UDP, and their like for unix sockets.")
    static let backlog = Key.number(
        "backlog", 4096, 1...65_535, "Connections that may wait while no run is there to take them.")
    static let mode = Key.octal("mode", 0o660, "Of a unix socket's file, octal; writing is connecting.")
    static let user = Key.person(
        "user", shown: "the child's", "uid", "Owner of a unix socket's file.")
    static let group = Key.person(
        "group", shown: "the child's", "gid", "Group of a unix socket's file.")

    static let section = SectionInfo(
        title: "sockets", summary: "Each element of `sockets`.",
        keys: [name.info, listen.info, type.info, backlog.info, mode.info, user.info, group.info])

    enum SocketType: Sendable {
        case stream, datagram
    }
}

/// Keys of `capabilities`.
enum CapabilityKeys {
    static let bounding = Key<[Placed<String>]?>(
        "bounding", type: "array of names", shape: .list(of: .form(.capability)), initial: nil,
        shown: "none (another user), nexusd's own (else)",
        range: "names of capabilities(7)",
        "The most that the child and what it starts can ever have."
    ) { node throws(Mismatch) in try node.texts(of: "capability names") }
    static let ambient = Key.texts(
        "ambient", of: "names", shape: .list(of: .form(.capability)),
        "Rights that the child has without being root, such as NET_BIND_SERVICE.")

    static let section = SectionInfo(
        title: "capabilities", summary: "`capabilities = { … }`: what is left of root's rights.",
        keys: [bounding.info, ambient.info])
}
