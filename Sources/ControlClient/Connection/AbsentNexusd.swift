import Glibc

/// Why nobody listens at the control socket: what a nexusd that lives has written into `stage` beside it
/// (docs/control-protocol.md).
struct AbsentNexusd {
    /// Its process id.
    let process: Int32
    /// The second line.
    let stage: Substring

    /// It has two lines, and none is long.
    private static let limit = 8192

    /// nil: there is none, as far as can be seen.
    init?(socket path: String) {
        let directory = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
        guard let text = Self.content(of: directory + "/stage") else { return nil }
        let lines = text.split(separator: "\n")
        guard lines.count > 1, let process = lines.first.flatMap({ Int32($0) }),
            // The file of one that was killed stays, and its pid may be another's by now.
            Self.content(of: "/proc/\(process)/comm") == "nexusd\n"
        else { return nil }
        self.process = process
        stage = lines[1]
    }

    /// In place of the advice to start one; nil where it says nothing of use.
    var failure: ControlError? {
        if stage.hasPrefix("starting: ") {
            return ControlError(
                .notRunning,
                "nexusd (pid \(process)) is starting, and answers when that is done: \(stage.dropFirst(10))",
                hint: "`nexusctl wait` waits for it, and for its children")
        }
        if stage == "ending" {
            return ControlError(
                .notRunning, "nexusd (pid \(process)) is ending, and answers no more", hint: "start it when it is gone")
        }
        return nil
    }

    private static func content(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = read(file, &bytes, limit)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
