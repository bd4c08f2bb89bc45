import ArgumentParser
import Foundation
import NexusConfiguration
import Plan

/// `nexus-config redact`: the last step of `nexusctl report`.
struct Redact: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes every secret out of the files of a directory, and adds the redacted Supervisor.toml.",
        discussion: """
            Known secrets are those of environments, secret files and credentials that this user may read; what looks like \
            one goes too. For `nexusctl report`.
            """)

    @Argument(help: "The directory; its files are changed.") var directory: String
    @Option(help: "Supervisor.toml.") var config: String
    @Option(help: "The state directory.") var state: String
    @Option(help: "The runtime directory.") var runtime: String

    // Values under this many bytes (`1`, `info`, `4096`) are hardly secrets, and would leave nothing of a report.
    private static let shortestValue = 6

    func run() throws {
        let file = FileManager.default.contents(atPath: config).map { RedactedFile(Array($0)) }
        let redactor = TextRedactor(values: secrets(file))
        for path in try FileManager.default.subpathsOfDirectory(atPath: directory) {
            let full = directory + "/" + path
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: full, isDirectory: &isDirectory), !isDirectory.boolValue else {
                continue
            }
            let old = try Data(contentsOf: URL(fileURLWithPath: full))
            try Data(redactor.redacted(Array(old))).write(to: URL(fileURLWithPath: full))
        }
        // Its values were looked at one by one; as a text its keys would look like secrets.
        let text = file?.text ?? "# \(config) cannot be read, or is no TOML\n"
        let target = directory + "/Supervisor.toml"
        let isWritten = FileManager.default.createFile(
            atPath: target, contents: Data(redactor.withoutValues(Array(text.utf8))),
            attributes: [.posixPermissions: 0o600])
        guard isWritten else { throw Refusal(words: "nexus-config: cannot write \(target)") }
    }

    private func secrets(_ file: RedactedFile?) -> Set<String> {
        let lastGood = FileManager.default.contents(atPath: state + "/last-good").flatMap {
            try? Plan(encoded: Array($0))
        }
        // Paths in environments are no secrets, and a report without them says little.
        var secrets = Set((file?.environment ?? []) + (lastGood?.environmentValues ?? [])).filter { !$0.hasPrefix("/") }
        var paths = (file?.secretFiles ?? []).map(expanded) + (lastGood?.secretFiles ?? [])
        for root in [runtime + "/credentials", ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"] ?? ""] {
            let below = (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
            paths += root.isEmpty ? [] : below.map { root + "/" + $0 }
        }
        for path in paths {
            guard let data = FileManager.default.contents(atPath: path), data.count <= 65_536 else { continue }
            secrets.formUnion(Self.secrets(in: data))
        }
        return secrets.filter { $0.utf8.count >= Self.shortestValue }
    }

    private func expanded(_ path: String) -> String {
        path.replacingOccurrences(of: "{state}", with: state).replacingOccurrences(of: "{runtime}", with: runtime)
    }

    /// A secret as it is; and where the file is an object with one in it, as a tunnel's credentials are, that one too.
    private static func secrets(in data: Data) -> [String] {
        let whole = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
        let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
        let members = (object ?? [:]).filter { $0.key.lowercased().contains("secret") }.values.compactMap {
            $0 as? String
        }
        return [whole] + members
    }
}
