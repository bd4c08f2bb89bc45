import Foundation

/// Where the real programs are: NEXUS_BIN (what scripts/test built in release mode), else beside the test bundle.
enum Programs {
    static let directory: String = {
        if let given = ProcessInfo.processInfo.environment["NEXUS_BIN"] { return given }
        return Bundle.main.executableURL!.deletingLastPathComponent().path
    }()
    static let fixture: String =
        ProcessInfo.processInfo.environment["NEXUS_FIXTURE"]
        ?? Bundle.main.executableURL!.deletingLastPathComponent().appendingPathComponent("fixture").path
    /// The repository this test was built from.
    static let repository: String = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { url.deleteLastPathComponent() }
        return url.path
    }()

    static func path(_ name: String) -> String { directory + "/" + name }
}

/// What a finished program said.
struct Finished {
    let status: Int32
    let output: String
    let errors: String
}

/// Runs a program to its end.
@discardableResult
func run(
    _ path: String, _ arguments: [String], environment: [String: String]? = nil, input: String? = nil,
    limit: Duration = .seconds(60)
) throws -> Finished {
    try Running(path, arguments, environment: environment, input: input).wait(limit)
}

/// A program under way. Its output goes to files, so that no pipe can fill up.
final class Running {
    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nexus-run-\(UUID().uuidString)")

    init(
        _ path: String, _ arguments: [String], environment: [String: String]? = nil, input: String? = nil
    ) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, text) in [("in", input ?? ""), ("out", ""), ("err", "")] {
            try Data(text.utf8).write(to: file(name))
        }
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        if let environment { process.environment = environment }
        process.standardInput = try FileHandle(forReadingFrom: file("in"))
        process.standardOutput = try FileHandle(forWritingTo: file("out"))
        process.standardError = try FileHandle(forWritingTo: file("err"))
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

    /// Its end; killed after the limit.
    func wait(_ limit: Duration = .seconds(60)) throws -> Finished {
        if ended.wait(timeout: .now() + .milliseconds(Int(limit / .milliseconds(1)))) == .timedOut {
            kill(process.processIdentifier, SIGKILL)
            ended.wait()
        }
        return Finished(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try String(decoding: Data(contentsOf: file("out")), as: UTF8.self),
            errors: try String(decoding: Data(contentsOf: file("err")), as: UTF8.self))
    }
}
