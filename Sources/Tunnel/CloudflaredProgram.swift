import Foundation
import Glibc

/// Finds cloudflared where people install it.
public struct CloudflaredProgram: Hashable, Sendable {
    /// Absolute path.
    public let path: String

    /// Places in the order in which they are looked at: a configured path alone, else PATH, then where packages,
    /// downloads, snap and Homebrew put it.
    public static func candidates(configured: String?, searchPath: String, home: String?) -> [String] {
        if let configured { return [configured] }
        let named = searchPath.split(separator: ":").filter { $0.hasPrefix("/") }.map(String.init)
        let usual = ["/usr/local/bin", "/usr/bin", "/opt/cloudflared"]
        let own = home.map { ["\($0)/.local/bin"] } ?? []
        let others = ["/snap/bin", "/home/linuxbrew/.linuxbrew/bin"]
        var seen: Set<String> = []
        return (named + usual + own + others).filter { seen.insert($0).inserted }.map { $0 + "/cloudflared" }
    }

    /// The first candidate that is a regular file this process may execute; nil if none is.
    public static func find(
        among candidates: [String], isProgram: (String) -> Bool = isExecutableFile
    ) -> CloudflaredProgram? {
        candidates.first(where: isProgram).map(CloudflaredProgram.init(path:))
    }

    /// A regular file (links followed) with leave to execute it.
    public static func isExecutableFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    /// The version in the output of `version --short`: `2026.8.2`, or `DEV` of one built by hand; nil for anything
    /// else, which is then not cloudflared.
    public static func version(inOutput output: String) -> String? {
        let word = output.trimmingCharacters(in: .whitespacesAndNewlines)
        if word == "DEV" { return word }
        let numbers = word.split(separator: ".", omittingEmptySubsequences: false)
        let isVersion =
            numbers.count == 3 && numbers[0].count == 4
            && numbers.allSatisfy { (1...4).contains($0.count) && $0.allSatisfy { $0.isASCII && $0.isNumber } }
        return isVersion ? word : nil
    }
}
