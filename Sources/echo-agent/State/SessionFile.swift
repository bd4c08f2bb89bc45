import Foundation

/// The sessions on disk: one JSON record a line, appended as things happen, so that a process killed at any moment loses
/// at most the line it was writing. The file is rewritten without what is outdated when it is opened.
///
/// Records reach the kernel before a request is answered; they are not synced, so a power cut may take the last ones.
struct SessionFile {
    /// Bytes of the file above which prompts are refused.
    static let byteLimit = 64 << 20

    private let directory: URL
    private var handle: FileHandle
    private let lock: FileHandle
    /// Bytes in the file now.
    private(set) var byteCount: Int

    /// One line; exactly one field is there.
    struct Record: Codable {
        var session: Session?
        var message: MessageInfo?
        var part: Part?
        var removedSession: String?
        var removedMessage: Place?

        /// A message's.
        struct Place: Codable {
            var sessionID: String
            var messageID: String
        }
    }

    /// Opens or makes `DIRECTORY/sessions.jsonl`, takes its lock and gives what was in it.
    static func open(_ directory: URL) throws -> (file: SessionFile, sessions: [String: Conversation]) {
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let lock = try lockFile(in: directory)
        let sessions = try read(url(in: directory))
        try rewrite(sessions, in: directory)
        let handle = try openForAppending(url(in: directory))
        let byteCount = Int(try handle.seekToEnd())
        return (SessionFile(directory: directory, handle: handle, lock: lock, byteCount: byteCount), sessions)
    }

    /// Appends one record.
    mutating func append(_ record: Record) throws {
        let line = try Self.line(record)
        try handle.write(contentsOf: line)
        byteCount += line.count
    }

    /// Starts the file anew with what counts; afterwards records are appended to the new one.
    mutating func compact(_ sessions: [String: Conversation]) throws {
        try Self.rewrite(sessions, in: directory)
        handle = try Self.openForAppending(Self.url(in: directory))
        byteCount = Int(try handle.seekToEnd())
    }

    private static func url(in directory: URL) -> URL { directory.appendingPathComponent("sessions.jsonl") }

    private static func line(_ record: Record) throws -> Data {
        var line = try JSON.encode(record)
        line.append(0x0A)
        return line
    }

    private static func openForAppending(_ url: URL) throws -> FileHandle {
        let descriptor = Glibc.open(url.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StartError("cannot open \(url.path): \(String(cString: strerror(errno)))") }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Two processes appending to one file would each miss what the other knows. One that was just killed gets a second
    /// to be gone.
    private static func lockFile(in directory: URL) throws -> FileHandle {
        let handle = try openForAppending(directory.appendingPathComponent("lock"))
        for _ in 0..<20 {
            if flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 { return handle }
            // flock(2) has no time limit of its own; the process that was killed is gone in one of these steps.
            usleep(50_000)
        }
        throw StartError("another echo-agent keeps its sessions in \(directory.path); give this one another --state")
    }

    private static func rewrite(_ sessions: [String: Conversation], in directory: URL) throws {
        var data = Data()
        for conversation in sessions.values {
            data.append(try line(Record(session: conversation.session)))
            for message in conversation.messages {
                data.append(try line(Record(message: message.info)))
                for part in message.parts { data.append(try line(Record(part: part))) }
            }
        }
        try data.write(to: url(in: directory), options: .atomic)
        _ = chmod(url(in: directory).path, 0o600)
    }

    /// Lines that are not records (a half-written last one) are skipped.
    private static func read(_ url: URL) throws -> [String: Conversation] {
        guard FileManager.default.fileExists(atPath: url.path) else { return [:] }
        var sessions: [String: Conversation] = [:]
        for line in try Data(contentsOf: url).split(separator: 0x0A) {
            guard let record = try? JSON.decode(Record.self, from: line) else { continue }
            if let session = record.session {
                sessions[session.id, default: Conversation(session: session)].session = session
            } else if let info = record.message {
                sessions[info.sessionID]?.put(info)
            } else if let part = record.part {
                sessions[part.sessionID]?.put(part)
            } else if let place = record.removedMessage {
                sessions[place.sessionID]?.remove(place.messageID)
            } else if let id = record.removedSession {
                sessions[id] = nil
            }
        }
        return sessions
    }
}

/// Why the agent cannot start, in words for stderr.
struct StartError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
