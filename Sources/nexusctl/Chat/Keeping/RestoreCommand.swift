import ArgumentParser
import ControlClient
import Glibc
import Wire

struct ChatRestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Puts a backup in place of the conversations, which are kept beside it.",
        discussion: """
            chat-bridge checks the file first and changes nothing when anything is wrong with it, or while a turn waits or \
            runs. The conversations until now are kept as chat.sqlite.before-restore-DATE in its state directory; who may \
            come in stays as it is. chat-bridge starts anew afterwards. What had not ended when the backup was made is \
            interrupted, and not sent to the agent again.
            """)

    @Argument(help: "The file that `chat backup` wrote.", completion: .file())
    var file: String

    @Flag(help: "What was restored, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    /// The whole file is checked, twice, before the answer comes.
    private static let patienceMilliseconds: Int64 = 600_000
    private static let pieceBytes = 16_384
    /// What is under way at most: a stream's credit, less what the request itself takes of the peer's queue.
    private static let windowBytes = 48 * 1024

    /// One rename decides, and who was killed cannot say on which side of it.
    private static let lost =
        "what is in place is whole, from before or restored: nexusctl chat --list shows which; restore it again where it is "
        + "from before"

    func run() throws {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        var about = stat()
        guard descriptor >= 0, fstat(descriptor, &about) == 0, about.st_mode & S_IFMT == S_IFREG else {
            throw ControlError(
                .usage, "cannot read \(file): \(descriptor < 0 ? String(cString: strerror(errno)) : "it is no file")")
        }
        defer { close(descriptor) }
        let link = try ChatLink(place)
        try link.requireBridge(hint: "nothing was changed")
        // One that is just starting takes no megabytes yet.
        guard try awaitReturn(link) != nil else {
            throw ControlError(
                .timeout, "chat-bridge does not answer, and nothing was changed", hint: "see: nexusctl status")
        }
        let begun = Self.milliseconds()
        do throws(ControlError) {
            try restore(descriptor, Int64(about.st_size), link)
        } catch {
            guard error.hint == Self.lost, let end = try awaitReturn(link)?["restore"], let at = end["at"]?.number,
                at >= begun
            else { throw error }
            try tell(end)
        }
    }

    /// Since 1970.
    private static func milliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// What the chat-bridge that came next found of it.
    private func tell(_ end: JSONValue) throws(ControlError) {
        guard let kept = end["kept"]?.text else {
            throw ControlError(
                .failed, "chat-bridge was ended before the backup was in place, and nothing was changed",
                hint: "the conversations are those from before; restore it once more: nexusctl chat restore \(file)")
        }
        if json {
            return Output.write(
                JSONValue.object([.init("type", .string("restored")), .init("kept", .string(kept))]).line + "\n")
        }
        Output.write(
            "restored; chat-bridge was ended before it could say so. What was there before is kept as "
                + "\(Terminal.clean(kept))\n")
    }

    private func restore(_ descriptor: Int32, _ size: Int64, _ link: ChatLink) throws(ControlError) {
        let id = try link.ask([.init("op", .string("restore")), .init("bytes", .integer(size))])
        var answer: JSONValue?
        try send(descriptor, id, link) { answer = $0 }
        if answer == nil {
            try link.answer(to: id, within: Self.patienceMilliseconds, orLost: Self.lost) {
                payload throws(ControlError) in
                answer = try ControlConnection.json(payload)
            }
        }
        guard let answer else { throw ControlError(.failed, "chat-bridge ended its answer without a word") }
        _ = try awaitReturn(link)
        if json { return Output.write(answer.line + "\n") }
        Output.write(
            "restored: \(ChatContents.words(answer)); what was there "
                + "before is kept as \(Terminal.clean(answer["kept"]?.text ?? "?"))\n")
    }

    /// The whole file, as credit comes. An error that comes meanwhile is the answer.
    private func send(
        _ descriptor: Int32, _ id: FrameID, _ link: ChatLink, _ answered: (JSONValue) -> Void
    ) throws(ControlError) {
        var window = Self.windowBytes
        var isWhole = false
        while !isWhole || link.connection.hasFrame {
            while !isWhole, window >= Self.pieceBytes + FrameHeader.byteCount {
                var piece = [UInt8](repeating: 0, count: Self.pieceBytes)
                let count = read(descriptor, &piece, piece.count)
                guard count >= 0 else {
                    throw ControlError(.failed, "cannot read \(file): \(String(cString: strerror(errno)))")
                }
                isWhole = count == 0
                if isWhole { try link.finishUpload(id) } else { try link.upload(Array(piece[..<count]), id) }
                window -= count + FrameHeader.byteCount
            }
            if isWhole { return }
            guard let frame = try link.connection.next(until: ControlConnection.now() + Self.patienceMilliseconds)
            else {
                throw ControlError(.timeout, "chat-bridge takes no more of the backup", hint: "nothing was changed")
            }
            guard frame.header.id == id else { continue }
            if frame.header.kind == .error { throw ChatLink.failure(frame.payload, orLost: Self.lost) }
            var reader = ByteReader(frame.payload)
            if frame.header.kind == .credit, let bytes = try? reader.read(UInt32.self) { window += Int(bytes) }
        }
    }

    /// Until chat-bridge answers again, on what was restored; how it describes itself, nil when it does not come.
    private func awaitReturn(_ link: ChatLink) throws(ControlError) -> JSONValue? {
        let limit = ControlConnection.now() + ChatLink.patienceMilliseconds
        while ControlConnection.now() < limit {
            let id = try link.ask([.init("op", .string("describe"))])
            do throws(ControlError) {
                var about: JSONValue?
                try link.answer(to: id, within: ChatLink.patienceMilliseconds) { payload throws(ControlError) in
                    about = try ControlConnection.json(payload)
                }
                return about
            } catch {
                // The one that is just ending, or nobody yet. Its requests wait 5 s for the next by themselves; this keeps
                // refusals that come at once (it is stopped, it parks) from being asked for without a pause.
                if let obstacle = link.chain.obstacle(among: [ChatLink.worker]) {
                    Output.complain(obstacle)
                    return nil
                }
                _ = usleep(50_000)
            }
        }
        return nil
    }
}
