import Foundation
import Glibc

/// Finds cloudflared where people install it, and asks it what it is.
public struct CloudflaredProgram: Hashable, Sendable {
    /// Absolute path.
    public let path: String
    /// As it says.
    public let version: ProgramVersion
    /// Of the file when it was asked: another one there later is another program.
    public let file: FileMark

    /// What tells one content of a file from another.
    public struct FileMark: Hashable, Sendable, Codable {
        private let inode: UInt64
        private let size: Int64
        private let seconds: Int
        private let nanoseconds: Int

        /// Of what is there now; nil: nothing is.
        public init?(path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    /// What lies at its path now.
    public enum OnDisk: Hashable, Sendable {
        /// The file that was asked what it is.
        case same
        /// One that came since, and may be started.
        case another(FileMark)
        /// One that came since and is not taken, in words.
        case refused(String)
        /// None: what runs of it goes on, and is not started again.
        case gone
    }

    /// Looks, and asks another one what it is.
    /// - Parameter known: of the look before: what is taken is not asked again.
    public func onDisk(known: OnDisk = .same) async -> OnDisk {
        guard let now = FileMark(path: path) else { return .gone }
        if now == file { return .same }
        if known == .another(now) { return known }
        do {
            return .another(try await Self.find(among: [path]).file)
        } catch {
            return .refused(error.description)
        }
    }

    /// How to get it, in words.
    public static let installation =
        "install it: Debian package at https://pkg.cloudflare.com, or the program itself from "
        + "https://github.com/cloudflare/cloudflared/releases as /usr/local/bin/cloudflared; or name it: [tunnel] program"

    /// Places in the order in which they are looked at: a configured path alone, else the accepted copy, PATH, then where
    /// packages, downloads, snap and Homebrew put it.
    /// - Parameter accepted: the directory of accepted copies (`nexusctl update`).
    public static func candidates(
        configured: String?, accepted: String? = nil, searchPath: String, home: String?
    ) -> [String] {
        if let configured { return [configured] }
        let copy = accepted.map { ["\($0)/cloudflared/current"] } ?? []
        let named = searchPath.split(separator: ":").filter { $0.hasPrefix("/") }.map(String.init)
        let usual = ["/usr/local/bin", "/usr/bin", "/opt/cloudflared"]
        let own = home.map { ["\($0)/.local/bin"] } ?? []
        let others = ["/snap/bin", "/home/linuxbrew/.linuxbrew/bin"]
        var seen: Set<String> = []
        return (copy + named + usual + own + others).filter { seen.insert($0).inserted }.map { $0 + "/cloudflared" }
    }

    /// The first candidate that is a program, says that it is cloudflared, and is new enough. The error names what is wrong
    /// with the first that is there, or how to install one.
    public static func find(among candidates: [String]) async throws(TunnelError) -> CloudflaredProgram {
        var first: TunnelError?
        for path in candidates where isFile(path) {
            guard isExecutableFile(path) else {
                first = first ?? TunnelError("\(path) may not be executed: chmod +x \(path)")
                continue
            }
            do {
                return try await probe(path)
            } catch {
                first = first ?? error
            }
        }
        if let first { throw first }
        if candidates.count == 1, let only = candidates.first {
            throw TunnelError("\(only) is no program; \(installation)")
        }
        let places = candidates.map { $0.split(separator: "/").dropLast().map { "/" + $0 }.joined() }
        throw TunnelError(
            "cloudflared is not installed: it is in none of tunnel-worker's PATH and the usual places "
                + "(\(places.joined(separator: " "))); \(installation)")
    }

    private static func probe(_ path: String) async throws(TunnelError) -> CloudflaredProgram {
        let mark = FileMark(path: path)
        let end = try await ShortRun(program: path, arguments: ["version", "--short"], limit: .seconds(5)).end()
        guard end.status == 0, let version = ProgramVersion(output: end.output), let mark else {
            throw TunnelError("\(path) is not cloudflared: `version --short` does not answer with a version")
        }
        guard version.isEnough else {
            throw TunnelError(
                "\(path) is cloudflared \(version), and \(ProgramVersion.minimum) or newer is needed; \(installation)")
        }
        return CloudflaredProgram(path: path, version: version, file: mark)
    }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// A regular file (links followed) with leave to execute it.
    public static func isExecutableFile(_ path: String) -> Bool { isFile(path) && access(path, X_OK) == 0 }

    /// Has cloudflared itself look at a configuration. Keys it does not know are a failure too, though it ends with 0.
    public func validate(_ configuration: String) async throws(TunnelError) {
        let end = try await ShortRun(
            program: path, arguments: ["tunnel", "--config", configuration, "ingress", "validate"]
        ).end()
        let lines = end.output.split(separator: "\n")
        guard end.status == 0, lines.last == "OK" else {
            let words = (end.errors + end.output).split(separator: "\n").filter { !$0.hasPrefix("Validating") }
            throw TunnelError(
                "\(words.contains { $0.contains("ostname") } ? "[chat] url" : "config.yml"): cloudflared refuses it: \(words.joined(separator: " ").prefix(500)) (exit \(end.status))"
            )
        }
    }
}
