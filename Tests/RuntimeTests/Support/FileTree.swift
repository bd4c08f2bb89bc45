import Foundation
import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Wire

@testable import Runtime

/// A real nexusd beside a nexus-config that plays: it gives the plan that the test wrote last, refuses, or waits at a gate.
final class FileTree {
    let directory = TemporaryDirectory()
    private let kernel = LiveKernel()
    private var process: Spawned?
    private var errors: OwnedFD?

    var socket: String { directory.path + "/run/control.sock" }
    var state: String { directory.path + "/state" }

    /// Writes the programs; nothing runs yet.
    init(_ plan: Plan) throws {
        try kernel.replaceFile(path("nexusd"), with: kernel.readFile(Built.nexusd, limit: 1 << 28), mode: 0o755)
        try kernel.makeDirectory(state, mode: 0o700)
        let script = """
            #!/bin/sh
            cd \(directory.path)
            case "$1" in
            plan)
                [ -e gate ] && read line < gate
                [ -e refusal ] && { cat refusal >&2; exit 2; }
                exec cat plan ;;
            record)
                [ -e record-gate ] && read line < record-gate
                [ -e full ] && { echo "cannot write 'choices.new': No space left on device" >&2; exit 2; }
                shift 3
                echo "$@" >> records ;;
            esac

            """
        try kernel.replaceFile(path("nexus-config"), with: Array(script.utf8), mode: 0o755)
        try write(plan)
    }

    func path(_ name: String) -> String { directory.path + "/" + name }

    /// What the file says from now on.
    func write(_ plan: Plan) throws { try kernel.replaceFile(path("plan"), with: plan.encoded(), mode: 0o600) }

    /// The file is wrong from now on; nil: right again.
    func refuse(_ words: String?) throws {
        if let words {
            try kernel.replaceFile(path("refusal"), with: Array(words.utf8), mode: 0o600)
        } else {
            try kernel.removeFile(path("refusal"))
        }
    }

    /// nexus-config stops at a gate: `gate` for plans, `record-gate` for records.
    func close(_ gate: String) { mkfifo(path(gate), 0o600) }

    /// Lets through the one that waits there, or will; when `stays` is false the gate is gone afterwards.
    func open(_ gate: String, stays: Bool = false) throws {
        // Blocks until nexus-config has come to the gate.
        let writer = Glibc.open(path(gate), O_WRONLY | O_CLOEXEC)
        if !stays { unlink(path(gate)) }
        _ = Glibc.write(writer, "\n", 1)
        Glibc.close(writer)
    }

    func start(_ more: [String] = [], environment: [String] = []) throws -> ControlPeer {
        let pipe = try kernel.makePipe(blocking: .write)
        let arguments = ["--config", "/etc/x.toml", "--state", state, "--runtime", path("run")] + more
        process = try RunningTree.start(path("nexusd"), arguments, environment, errors: pipe.write, kernel)
        errors = consume pipe.read
        let limit = kernel.monotonic() + .seconds(20)
        while (try? kernel.status(socket, followingLinks: false)) == nil, kernel.monotonic() < limit {
            if try hasEnded(within: .milliseconds(2)) { break }
        }
        return try ControlPeer(socket)
    }

    private func hasEnded(within limit: Duration) throws -> Bool {
        switch process {
        case .some(let process): try waitUntil(process.pidfd, within: limit)
        case .none: true
        }
    }

    /// Started, and every wanted child is ready.
    func startReady(_ more: [String] = [], environment: [String] = []) throws -> ControlPeer {
        let client = try start(more, environment: environment)
        _ = try client.object("wait-ready")
        return client
    }

    /// Runs one that is expected to end by itself.
    func runToEnd(_ more: [String] = []) throws -> (Exit?, String) {
        let pipe = try kernel.makePipe(blocking: .write)
        let arguments = ["--config", "/etc/x.toml", "--state", state, "--runtime", path("run")] + more
        let ended = try RunningTree.start(path("nexusd"), arguments, [], errors: pipe.write, kernel)
        // Its writing end is here as well: the end of the process is what is waited for.
        let exit = try waitForExit(ended)
        return (exit, RunningTree.drain(pipe.read, kernel))
    }

    /// What nexusd has said on stderr so far.
    func said() -> String {
        switch errors {
        case .some(let errors): return RunningTree.drain(errors, kernel)
        case .none: return ""
        }
    }

    /// A command of nexusctl about this tree.
    func ctl(_ arguments: [String]) throws -> CtlAnswer {
        try RuntimeTests.ctl(
            arguments, environment: ["NEXUS_RUNTIME_DIRECTORY=\(path("run"))", "NEXUS_STATE_DIRECTORY=\(state)"])
    }

    /// log-writer, with the directory that nexusctl looks into.
    var logWriter: ChildPlan {
        var child = RuntimeTests.logWriter
        child.arguments = ["log-writer", "--directory", state + "/logs", "--no-journal"].map { Text($0) }
        return child
    }

    var processID: Int32 { process?.process.rawValue ?? -1 }

    func signal(_ signal: Signal) throws {
        switch process {
        case .some(let process): try kernel.signal(process.pidfd, signal)
        case .none: break
        }
    }

    func end() throws -> Exit? {
        switch process {
        case .some(let process): return try waitForExit(process)
        case .none: return nil
        }
    }

    func stop() throws -> Exit? {
        try signal(.terminate)
        return try end()
    }

    /// What was recorded, one run a line.
    var records: [String] {
        let text = (try? kernel.readFile(path("records"), limit: 1 << 20)) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    deinit {
        // Before the directory goes; the third request kills what is left first. Harmless when it has ended.
        for _ in 0..<3 {
            try? signal(.terminate)
            usleep(20_000)
        }
        if (try? end()) == nil { try? signal(.kill) }
    }
}

extension ControlPeer {
    /// What `reload` would do or does: each child that is not the same, with what happens to it.
    func changes(_ json: [String: Any]) -> [String: String] {
        let children = json["children"] as? [[String: Any]] ?? []
        return Dictionary(uniqueKeysWithValues: children.map { ($0["name"] as! String, $0["change"] as! String) })
    }

    /// Reloads; the difference and the outcome.
    func reload() throws -> (diff: [String: Any], outcome: String) {
        let answer = try ask("reload")
        guard case .stream(let text) = answer else { throw Refused(code: "?", message: "no stream, but \(answer)") }
        let lines = try text.split(separator: "\n").map { line in
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        }
        return (lines.first ?? [:], lines.last?["outcome"] as? String ?? "?")
    }

    func names() throws -> [String] {
        (try object("status")["children"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
    }

    /// Waits until a child is in this state.
    func wait(for child: String, toBe state: String) throws {
        let kernel = LiveKernel()
        let limit = kernel.monotonic() + .seconds(20)
        while try self.state(child) != state, kernel.monotonic() < limit { usleep(2000) }
    }
}
