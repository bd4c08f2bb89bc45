import Glibc

/// Sockets that whoever started this process opened for it (sd_listen_fds(3)).
public struct LentSockets: Sendable {
    /// Their numbers by name.
    private let numbers: [String: Int32]

    /// What the environment says, if it is meant for the process of that id. What comes as `bus` is no socket.
    public init(environment: [String: String], process: Int32 = getpid()) {
        guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == process,
            let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), (1...1024).contains(count)
        else {
            numbers = [:]
            return
        }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        let pairs = names.prefix(count).enumerated().map { (String($0.element), 3 + Int32($0.offset)) }
        numbers = Dictionary(pairs.filter { $0.0 != "bus" }) { first, _ in first }
    }

    /// The socket of that name; nil: there is none.
    public subscript(name: String) -> Int32? { numbers[name] }
}
