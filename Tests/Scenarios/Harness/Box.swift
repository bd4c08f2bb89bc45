import Foundation
import Testing

/// A whole box in a directory of its own: the real nexusd with real children, on the Supervisor.toml of a scenario.
final class Box {
    let directory: String
    var state: String { directory + "/state" }
    var runtime: String { directory + "/run" }
    var config: String { directory + "/Supervisor.toml" }
    var pidsFile: String { directory + "/pids" }
    private var nexusd: Running?
    /// A program that becomes nexusd by exec, with its first arguments; for namespaces.
    var launcher: [String] = []

    /// `toml` may use FIXTURE (the bad child's path), DIR (this box) and PIDS (a line of TOML that makes the fixture
    /// register every process it makes).
    init(_ toml: String) throws {
        directory = "/tmp/nexus-box-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try write(toml)
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Writes Supervisor.toml anew.
    func write(_ toml: String) throws {
        let text =
            toml
            .replacingOccurrences(of: "FIXTURE", with: Programs.fixture)
            .replacingOccurrences(of: "PIDS", with: "environment = { FIXTURE_PIDS = \"\(pidsFile)\" }")
            .replacingOccurrences(of: "DIR", with: directory)
        try text.write(toFile: config, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: config)
    }

    /// Starts nexusd; returns when its control socket answers.
    func start(_ more: [String] = [], environment: [String: String] = [:]) throws {
        try launch(more, environment: environment)
        try waitForSocket()
    }

    /// Starts nexusd; returns at once.
    func launch(_ more: [String] = [], environment: [String: String] = [:]) throws {
        var clean = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": directory]
        clean.merge(environment) { $1 }
        let command =
            launcher + [Programs.path("nexusd"), "--config", config, "--state", state, "--runtime", runtime] + more
        nexusd = try Running(
            command[0], Array(command.dropFirst()),
            environment: clean, output: directory + "/nexusd.err")
    }

    /// What nexusd wrote to its stderr.
    var errors: String { (try? String(contentsOfFile: directory + "/nexusd.err", encoding: .utf8)) ?? "" }

    /// nexusd's own pid.
    var pid: Int32 { nexusd?.pid ?? 0 }

    /// Runs nexusctl against this box.
    @discardableResult
    func ctl(_ arguments: String..., input: String? = nil, limit: Duration = .seconds(60)) throws -> Finished {
        try run(
            Programs.path("nexusctl"), arguments,
            environment: [
                "NEXUS_RUNTIME_DIRECTORY": runtime, "NEXUS_STATE_DIRECTORY": state, "PATH": "/usr/bin:/bin",
                "HOME": directory,
            ], input: input, limit: limit)
    }

    /// Begins nexusctl and goes on; the caller ends it by `wait()`.
    func begin(_ arguments: String...) throws -> Running { try begin(arguments) }

    /// The same.
    func begin(_ arguments: [String]) throws -> Running {
        try Running(
            Programs.path("nexusctl"), arguments,
            environment: ["NEXUS_RUNTIME_DIRECTORY": runtime, "NEXUS_STATE_DIRECTORY": state, "HOME": directory])
    }

    func status() throws -> StatusView {
        let answer = try ctl("status", "--json")
        guard answer.status == 0 else { throw Trouble("status: \(answer.errors)\(errors)") }
        return try StatusView.decode(answer.output)
    }

    /// Sends a signal to nexusd.
    func signal(_ number: Int32) { Foundation.kill(pid, number) }

    /// Waits for nexusd's end: its exit status, or minus the signal; nil after the limit.
    func waitForEnd(_ limit: Duration = .seconds(30)) -> Int32? {
        guard let status = nexusd?.waitForEnd(limit) else { return nil }
        nexusd = nil
        return status
    }

    /// SIGTERM and the end.
    func stop(_ limit: Duration = .seconds(30)) -> Int32? {
        signal(SIGTERM)
        return waitForEnd(limit)
    }

    /// Last resort, also in deinit: nothing of a failed scenario stays behind.
    func kill() {
        guard nexusd != nil else { return }
        signal(SIGTERM)
        if waitForEnd(.seconds(10)) == nil {
            signal(SIGKILL)
            _ = waitForEnd(.seconds(5))
        }
        for (_, pid) in registered() where isAlive(pid) { Foundation.kill(pid, SIGKILL) }
    }

    /// Every process a fixture registered, with its role.
    func registered() -> [(role: String, pid: Int32)] {
        let text = (try? String(contentsOfFile: pidsFile, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let pid = Int32(words[1]) else { return nil }
            return (String(words[0]), pid)
        }
    }

    private func waitForSocket() throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            // The socket is renamed into place when it listens.
            if FileManager.default.fileExists(atPath: runtime + "/control.sock"),
                try ctl("status", "--json").status == 0
            {
                return
            }
            if waitForEnd(.milliseconds(20)) != nil { throw Trouble("nexusd ended: \(errors)") }
        }
        throw Trouble("nexusd's control socket did not answer within 20 s: \(errors)")
    }
}

/// A scenario that cannot go on.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Alive and not a zombie.
func isAlive(_ pid: Int32) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let close = stat.lastIndex(of: ")")
    else { return false }
    return !stat[close...].dropFirst(2).hasPrefix("Z")
}
