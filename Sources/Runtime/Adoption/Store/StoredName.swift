import SupervisorCore

/// What is kept in systemd's store of descriptors for the next nexusd, by the name it has there (FDNAME=): at most 255
/// printable characters without a colon, and all that comes back of a message ($LISTEN_FDNAMES).
enum StoredName: Hashable {
    /// The memory with the state.
    case state
    /// A plan in force; which one, the state says.
    case plan(UInt32)
    /// A run: its pidfd, and what nexusd has open of it. Descriptors of one name come back in any order: those that are no
    /// pidfd are told by their inodes, 0 where there is none: stdout, stderr, ready; of log-writer its link, the other end of
    /// that, its stderr.
    case run(ChildID, RunID, inodes: [UInt64])
    /// A listening socket, by its inode; whose it is the state says, for a reload may give it to another child.
    case socket(inode: UInt64)

    static let inodeCount = 3

    var text: String {
        switch self {
        case .state: "nexus-state"
        case .plan(let number): "nexus-plan-\(number)"
        case .run(let child, let run, let inodes):
            "nexus-run-\(child.rawValue)-\(run.rawValue)" + inodes.map { "-\($0)" }.joined()
        case .socket(let inode): "nexus-socket-\(inode)"
        }
    }

    /// Nil for a name that is none of ours.
    init?(_ text: some StringProtocol) {
        let words = text.split(separator: "-", omittingEmptySubsequences: false)
        guard words.count >= 2, words[0] == "nexus" else { return nil }
        let numbers = words.dropFirst(2).map { UInt64($0) }
        let known = numbers.compactMap { $0 }
        guard known.count == numbers.count else { return nil }
        switch (words[1], known.count) {
        case ("state", 0): self = .state
        case ("plan", 1):
            guard let number = UInt32(exactly: known[0]) else { return nil }
            self = .plan(number)
        case ("run", 2 + Self.inodeCount):
            guard let child = UInt16(exactly: known[0]) else { return nil }
            self = .run(ChildID(rawValue: child), RunID(rawValue: known[1]), inodes: Array(known[2...]))
        case ("socket", 1): self = .socket(inode: known[0])
        case _: return nil
        }
        guard self.text == text else { return nil }
    }
}
