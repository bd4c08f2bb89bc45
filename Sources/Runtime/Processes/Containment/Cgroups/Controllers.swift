import Plan
import SupervisorCore
import System

/// What the kernel keeps in the cgroups of runs. cgroup.kill, cgroup.events and the CPU account need no controller.
enum Controller: String, Hashable, Sendable, CaseIterable {
    case memory, pids, cpu
}

/// Which controllers are handed down to the cgroups of runs, and why the others are not.
struct Controllers {
    /// Handed down.
    private(set) var enforced: Set<Controller> = []
    /// Why one is not, in words.
    private(set) var refusals: [Controller: String] = [:]

    /// None, for one reason.
    init(none why: String) {
        for controller in Controller.allCases { refusals[controller] = why }
    }

    /// Hands down what the cgroup was given; each by itself, as one that is refused would take the others with it.
    init(_ kernel: any Kernel, path: String) {
        let given = Self.words(path + "/cgroup.controllers", kernel)
        for controller in Controller.allCases {
            guard given.contains(controller.rawValue) else {
                refusals[controller] =
                    "\(path) was not given the \(controller.rawValue) controller (not delegated, or used by cgroup v1)"
                continue
            }
            do {
                let file = try kernel.open(path + "/cgroup.subtree_control", .writeOnly, mode: 0)
                try kernel.writeAll(file, Array("+\(controller.rawValue)".utf8))
                enforced.insert(controller)
            } catch {
                let remedy = error == .busy ? "; a process that is not nexusd's sits in that cgroup" : ""
                refusals[controller] =
                    "the \(controller.rawValue) controller cannot be handed down in \(path): \(error)\(remedy)"
            }
        }
    }

    private static func words(_ path: String, _ kernel: any Kernel) -> Set<String> {
        let text = String(decoding: (try? kernel.readFile(path, limit: 4096)) ?? [], as: UTF8.self)
        return Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}

/// One bound of a run as a file of its cgroup (cgroup-v2.rst).
struct BoundFile: Hashable {
    /// The name of the file.
    let name: String
    let controller: Controller
    let value: UInt64

    /// As Supervisor.toml has it.
    var key: String {
        switch controller {
        case .memory: name
        case .pids: "pids-max"
        case .cpu: "cpu-weight"
        }
    }
}

extension RunBounds {
    /// The bounds the kernel can keep.
    var files: [BoundFile] {
        var files: [BoundFile] = []
        if let memoryMax { files.append(BoundFile(name: "memory.max", controller: .memory, value: memoryMax)) }
        if let memoryHigh { files.append(BoundFile(name: "memory.high", controller: .memory, value: memoryHigh)) }
        if let processes { files.append(BoundFile(name: "pids.max", controller: .pids, value: UInt64(processes))) }
        if let cpuWeight { files.append(BoundFile(name: "cpu.weight", controller: .cpu, value: UInt64(cpuWeight))) }
        return files
    }
}
