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

/// Runs a program to its end. Its output goes to files, so that no pipe can fill up.
@discardableResult
func run(
    _ path: String, _ arguments: [String], environment: [String: String]? = nil, input: String? = nil,
    limit: Duration = .seconds(60)
) throws -> Finished {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nexus-run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func file(_ name: String, _ text: String = "") throws -> URL {
        let url = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: url)
        return url
    }
    let (out, err) = (try file("out"), try file("err"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    if let environment { process.environment = environment }
    process.standardInput = try FileHandle(forReadingFrom: file("in", input ?? ""))
    process.standardOutput = try FileHandle(forWritingTo: out)
    process.standardError = try FileHandle(forWritingTo: err)
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    if ended.wait(timeout: .now() + .milliseconds(Int(limit / .milliseconds(1)))) == .timedOut {
        kill(process.processIdentifier, SIGKILL)
        ended.wait()
    }
    return Finished(
        status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
        output: try String(decoding: Data(contentsOf: out), as: UTF8.self),
        errors: try String(decoding: Data(contentsOf: err), as: UTF8.self))
}
