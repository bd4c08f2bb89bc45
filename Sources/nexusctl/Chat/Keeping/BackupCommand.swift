import ArgumentParser
import ControlClient
import Glibc
import Wire

struct ChatBackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Writes all conversations into one file, while they go on.",
        discussion: """
            The file is a SQLite database of this version, readable by its owner alone. It holds the conversations and not \
            who may come in: devices are let in anew elsewhere, and stay as they are where it is restored. It is written \
            under another name first and never over a file that is there.
            """)

    @Argument(help: "The file; default: nexus-chat-DATE.sqlite in this directory.", completion: .file())
    var file: String?

    @Flag(help: "What was written, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    /// A copy of everything is made before the first byte comes.
    private static let patienceMilliseconds: Int64 = 600_000

    func run() throws {
        let link = try ChatLink(place)
        try link.requireBridge()
        let path =
            file
            ?? "nexus-chat-\(WallTime(nanosecondsSince1970: Int64(time(nil)) * 1_000_000_000).rfc3339.filter { $0 != ":" }).sqlite"
        let target = try NewFile(path)
        var about: JSONValue?
        let id = try link.ask([.init("op", .string("backup"))])
        try link.answer(to: id, within: Self.patienceMilliseconds) { payload throws(ControlError) in
            if about == nil { about = try ControlConnection.json(payload) } else { try target.write(payload) }
        }
        guard let about, about["bytes"]?.number == target.bytes else {
            throw ControlError(.failed, "the backup broke off after \(target.bytes) bytes; \(path) was not written")
        }
        try target.keep()
        let (sessions, turns) = (about["sessions"]?.number ?? 0, about["turns"]?.number ?? 0)
        if json {
            let members: [JSONValue.Member] = [
                .init("file", .string(path)), .init("bytes", .integer(target.bytes)),
                .init("sessions", .integer(sessions)),
                .init("turns", .integer(turns)),
            ]
            return Output.write(JSONValue.object(members).line + "\n")
        }
        Output.write("\(path): \(ChatContents.words(about)), \(target.bytes) bytes\n")
    }
}

/// What a backup holds, in words.
enum ChatContents {
    /// `1 session, 12 turns`.
    static func words(_ about: JSONValue) -> String {
        func counted(_ name: String) -> String {
            let count = about[name]?.number ?? 0
            return "\(count) \(count == 1 ? String(name.dropLast()) : name)"
        }
        return counted("sessions") + ", " + counted("turns")
    }
}

/// A file that is there whole or not at all, for its owner's eyes.
final class NewFile {
    private let path: String
    private let partial: String
    private let descriptor: Int32
    /// Written so far.
    private(set) var bytes: Int64 = 0

    /// Refuses a path that is taken.
    init(_ path: String) throws(ControlError) {
        self.path = path
        partial = "\(path).\(getpid())-partial"
        guard access(path, F_OK) != 0 else {
            throw ControlError(.usage, "\(path) is there already", hint: "name another file; none is written over")
        }
        descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ControlError(.failed, "cannot write \(partial): \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        close(descriptor)
        unlink(partial)
    }

    func write(_ piece: [UInt8]) throws(ControlError) {
        var done = 0
        while done < piece.count {
            let count = piece.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw ControlError(.failed, "cannot write \(partial): \(String(cString: strerror(errno)))")
            }
            done += count
        }
        bytes += Int64(piece.count)
    }

    /// On the disk, under its name.
    func keep() throws(ControlError) {
        // link(2) refuses a name that somebody took meanwhile; rename(2) would not.
        guard fsync(descriptor) == 0, link(partial, path) == 0 else {
            throw ControlError(.failed, "cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }
}
