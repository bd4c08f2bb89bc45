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
