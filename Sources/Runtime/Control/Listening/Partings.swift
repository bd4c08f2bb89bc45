import SupervisorCore
import System

/// Connections that were told why they end. They stay open for a moment, so that a client that is still writing its
/// first words gets to read ours instead of a broken pipe.
struct Partings {
    /// How long one stays.
    static let patience: Duration = .seconds(1)
    /// How many stay; of more the oldest goes at once.
    static let limit = 16

    private var waiting: [Parting] = []
    /// Where what is unread may hold descriptors (Linux before 6.16).
    private let disposal: Disposal?

    private struct Parting {
        /// Closes the socket when it goes.
        let owner: any Leaving
        let until: Instant
    }

    private final class Owner: Leaving {
        let socket: OwnedFD

        init(_ socket: consuming OwnedFD) { self.socket = socket }

        func leave(by disposal: Disposal) { disposal.closeIfUnread(socket) }
    }

    init(_ disposal: Disposal?) { self.disposal = disposal }

    /// When the next one goes.
    var deadline: Instant? { waiting.first?.until }

    /// Says the last word to somebody who was not let in.
    mutating func say(_ word: [UInt8], to socket: consuming OwnedFD, _ kernel: any Kernel, at now: Instant) {
        Self.end(socket, word, kernel)
        keep(Owner(socket), at: now)
    }

    /// Says the last word to a client.
    mutating func say(_ word: [UInt8], to client: ControlClient, _ kernel: any Kernel, at now: Instant) {
        Self.end(client.socket, word, kernel)
        keep(client, at: now)
    }

    mutating func expire(at now: Instant) {
        while let first = waiting.first, first.until <= now { removeFirst() }
    }

    /// All of them go now.
    mutating func endAll() { while !waiting.isEmpty { removeFirst() } }

    private mutating func removeFirst() {
        let owner = waiting.removeFirst().owner
        if let disposal { owner.leave(by: disposal) }
    }

    /// Nothing is sent behind the word, and nothing is read any more.
    private static func end(_ socket: borrowing OwnedFD, _ word: [UInt8], _ kernel: any Kernel) {
        _ = word.withUnsafeBytes { try? kernel.write(socket, $0) }
        try? kernel.shutdownSending(socket)
    }

    private mutating func keep(_ owner: any Leaving, at now: Instant) {
        if waiting.count == Self.limit { removeFirst() }
        waiting.append(Parting(owner: owner, until: now + Self.patience))
    }
}

/// Has a connection that closes with it.
protocol Leaving: AnyObject {
    /// To be called right before the last reference goes.
    func leave(by disposal: Disposal)
}
