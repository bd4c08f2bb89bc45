import Foundation
import Glibc

/// What is remembered of each chat over a restart: its session, and the turns whose answers are not whole there yet.
struct Memory: Codable, Hashable, Sendable {
    /// A turn under way.
    struct Open: Codable, Hashable, Sendable {
        /// The id under which it was sent: sending it again finds the same turn.
        var client_id: String
        /// What was written, the same words.
        var text: String
        /// The session it was sent to; nil: it began one.
        var session: String?
        /// The messages that show the answer so far.
        var messages: [Int64] = []
    }

    /// One chat.
    struct Chat: Codable, Hashable, Sendable {
        var session: String?
        var open: [Open] = []
    }

    var chats: [String: Chat] = [:]

    private static let fileLimit = 8 << 20

    /// What was written last; nothing where there is nothing, or nothing that can be read.
    static func read(_ directory: String) -> Memory {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: directory + "/chats.json")),
            data.count <= fileLimit
        else { return Memory() }
        return (try? JSONDecoder().decode(Memory.self, from: data)) ?? Memory()
    }

    /// Whole or not at all, readable by nobody else: it has words of the chat.
    func write(_ directory: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let bytes = [UInt8](try encoder.encode(self))
        let (path, new) = (directory + "/chats.json", directory + "/chats.json.new")
        unlink(new)
        let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + done }, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            done += count
        }
        let isWhole = done == bytes.count && fsync(file) == 0
        close(file)
        guard isWhole, rename(new, path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }
}
