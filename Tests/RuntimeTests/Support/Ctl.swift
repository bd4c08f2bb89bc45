import Foundation
import System
import TestSupport

/// What a command of nexusctl said.
struct CtlAnswer {
    let status: Int32
    let output: String
    let errors: String

    /// Output as a JSON object; empty when it is none.
    var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any] ?? [:]
    }
}

/// The built nexusctl, run to its end.
func ctl(
    _ arguments: [String], environment: [String] = [], within limit: Duration = .seconds(30)
) throws -> CtlAnswer {
    let kernel = LiveKernel()
    let folder = TemporaryDirectory()
    let (out, errors) = (folder.path + "/out", folder.path + "/err")
    let null = try kernel.open("/dev/null", .readOnly, mode: 0)
    let outFile = try kernel.open(out, [.writeOnly, .create], mode: 0o600)
    let errorFile = try kernel.open(errors, [.writeOnly, .create], mode: 0o600)
    var image = SpawnImage(
        executable: Built.directory + "/nexusctl", arguments: ["nexusctl"] + arguments,
        environment: ["PATH=/usr/bin:/bin", "HOME=/nonexistent"] + environment)
    image.descriptors = [
        DescriptorMapping(source: null.raw, target: 0), DescriptorMapping(source: outFile.raw, target: 1),
        DescriptorMapping(source: errorFile.raw, target: 2),
    ]
    image.noNewPrivileges = false
    image.deathSignal = .kill
    let process = try kernel.spawn(image)
    guard let exit = try waitForExit(process, within: limit) else {
        try? kernel.signal(process.pidfd, .kill)
        _ = try waitForExit(process)
        throw NotInTime(what: "nexusctl \(arguments.joined(separator: " "))")
    }
    func text(_ path: String) -> String {
        String(decoding: (try? kernel.readFile(path, limit: 8 << 20)) ?? [], as: UTF8.self)
    }
    let status: Int32
    switch exit {
    case .code(let code): status = Int32(code)
    case .signal(let signal, _, _): status = -signal.rawValue
    case .notExecuted, .unknown: status = -99
    }
    return CtlAnswer(status: status, output: text(out), errors: text(errors))
}

extension RunningTree {
    /// A command of nexusctl about this tree.
    func ctl(_ arguments: String...) throws -> CtlAnswer { try ctl(arguments) }

    /// The same for words that are a list already.
    func ctl(_ arguments: [String]) throws -> CtlAnswer {
        try RuntimeTests.ctl(
            arguments, environment: ["NEXUS_RUNTIME_DIRECTORY=\(runtime)", "NEXUS_STATE_DIRECTORY=\(state)"])
    }
}
