import Foundation
import Glibc

/// Follows the log file that cloudflared writes beside its stderr (JSON lines, 1 MB, then a new one).
public struct LogTail {
    /// What a line may tell that no number does.
    public enum Fact: Hashable, Sendable {
        /// The edge's reason for a refusal; only over http2.
        case refused(String)
        /// Its own check of the network found that UDP does not get through.
        case suggestsHTTP2
    }

    private let path: String
    private var inode: UInt?
    private var offset: Int = 0
    private var rest: [UInt8] = []

    /// Read in one look; what is beyond is passed over.
    static let lookLimitBytes = 262_144
    private static let lineLimitBytes = 65_536

    /// From the end of what is there now.
    public init(path: String) {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        inode = UInt(status.st_ino)
        offset = Int(status.st_size)
    }

    /// What the lines since the last look tell.
    public mutating func facts() -> [Fact] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return [] }
        if inode != UInt(status.st_ino) || Int(status.st_size) < offset {
            (inode, offset, rest) = (UInt(status.st_ino), 0, [])
        }
        let size = Int(status.st_size)
        if size - offset > Int(Self.lookLimitBytes) { (offset, rest) = (size - Int(Self.lookLimitBytes), []) }
        var buffer = [UInt8](repeating: 0, count: Self.lookLimitBytes)
        let count = pread(descriptor, &buffer, buffer.count, offset)
        guard count > 0 else { return [] }
        offset += Int(count)
        rest += buffer.prefix(count)
        var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        rest = lines.popLast().map { $0.count > Self.lineLimitBytes ? [] : Array($0) } ?? []
        return lines.compactMap { Self.fact(Array($0)) }
    }

    /// What one line tells.
    public static func fact(_ line: [UInt8]) -> Fact? {
        struct Line: Decodable {
            var message: String
            var error: String?
            var suggested_protocol: String?
        }
        guard let line = try? JSONDecoder().decode(Line.self, from: Data(line)) else { return nil }
        switch line.message {
        case "Register tunnel error from server side": return .refused((line.error ?? "no reason given").shown(500))
        case "precheck complete" where line.suggested_protocol == "http2": return .suggestsHTTP2
        case _: return nil
        }
    }
}
