import Foundation
import Testing

@testable import OpenCode

/// The real echo-agent, started for a test.
final class EchoAgentProcess {
    static let password = "correct horse"

    /// Which line of opencode it speaks for.
    enum Line: String, CaseIterable, Sendable {
        case v1, v2
    }

    let process = Process()
    let port: UInt16
    private let output = Pipe()

    /// Starts it and waits for the line that says where it listens. Without a port it gets one that was free just now:
    /// with 0 each would take 4096 as soon as another test's agent has left it.
    init(state: URL, port given: Int? = nil, delay: Int = 1, line: Line = .v1, arguments: [String] = []) throws {
        let port = try given ?? Listener.freePort()
        process.executableURL = URL(fileURLWithPath: Self.path("echo-agent"))
        process.arguments =
            [
                "serve", "--hostname", "127.0.0.1", "--port", String(port), "--delay-ms", String(delay), "--state",
                state.path, "--line", line.rawValue,
            ] + arguments
        process.environment = ["OPENCODE_SERVER_PASSWORD": Self.password, "PATH": "/usr/bin:/bin"]
        process.standardOutput = output
        try process.run()
        var said = Data()
        while !said.contains(0x0A) {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "echo-agent ended before it listened")
            said.append(more)
        }
        let words = String(decoding: said, as: UTF8.self)
        let match = try #require(
            words.wholeMatch(of: /(opencode )?server listening on http:\/\/127\.0\.0\.1:([0-9]+)\n/), "\(words)")
        #expect((match.1 != nil) == (line == .v1), "each line says it in words of its own")
        self.port = try #require(UInt16(match.2))
    }

    deinit { kill() }

    var endpoint: AgentEndpoint { AgentEndpoint(port: port, password: Self.password) }

    /// SIGKILL, and waits for the end.
    func kill() {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Where the built programs are: beside the test bundle.
    static func path(_ program: String) -> String {
        Bundle.module.bundleURL.deletingLastPathComponent().appendingPathComponent(program).path
    }

    /// Runs it to its end with these arguments.
    static func run(_ arguments: [String], environment: [String: String]) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path("echo-agent"))
        process.arguments = arguments
        process.environment = environment
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: said, as: UTF8.self))
    }
}

/// A directory of a test's own.
final class Scratch: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("nexus-agent-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
