import SupervisorCore
import System
import Wire

/// The program that is to take over, run as a short child that says whether it could: it reads the same hand-over that it would
/// go on from. Bounded in time and bytes; the loop watches its pipe, hears of the reaped process, and calls `expire`.
final class UpgradeCheck {
    static let limit: Duration = .seconds(5)
    /// Bytes of what it says.
    static let saidLimit = 4096

    enum Verdict: Hashable {
        case fits(version: String)
        /// Why not, in words that follow the name of the program.
        case refused(String)
    }

    private let kernel: any Kernel
    private let surroundings: Surroundings
    private let scope: any RunScope
    let process: ProcessID
    private let pidfd: OwnedFD
    private let report: OwnedFD
    private var output: OwnedFD?
    private var said: [UInt8] = []
    private var exit: Exit?
    private var isLate = false
    let deadline: Instant

    init(_ surroundings: Surroundings, _ handover: borrowing OwnedFD) throws(Errno) {
        kernel = surroundings.kernel
        self.surroundings = surroundings
        let pipe = try kernel.makePipe(blocking: .write)
        var image = SpawnImage(
            executable: surroundings.program, arguments: [surroundings.program, "--check-handover"],
            environment: ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG"].compactMap { name in
                surroundings.variable(name).map { name + "=" + $0 }
            } + ["\(LifeID.variable)=\(surroundings.life)"])
        image.descriptors = [handover.raw, pipe.write.raw, pipe.write.raw].enumerated().map {
            DescriptorMapping(source: $1, target: Int32($0))
        }
        image.deathSignal = .kill
        let scope = try surroundings.containment.open(child: "nexusd", run: surroundings.nextOwnRun())
        let spawned: Spawned
        do { spawned = try surroundings.spawner.spawnOwn(image, in: scope) } catch {
            scope.close()
            throw error.error
        }
        self.scope = scope
        process = spawned.process
        pidfd = spawned.pidfd
        report = spawned.report
        deadline = kernel.monotonic() + Self.limit
        do throws(Errno) { try surroundings.poller.add(pipe.read, token: EventSource.upgradeCheck.token) } catch {
            try? kernel.signal(pidfd, .kill)
            scope.close()
            throw error
        }
        output = consume pipe.read
    }

    var isOver: Bool { isLate || exit != nil && isAtEnd }

    private var isAtEnd: Bool {
        switch output {
        case .some: false
        case .none: true
        }
    }

    /// Something is in its pipe, or nothing will be any more.
    func listen() {
        var isOpen = true
        switch output {
        case .some(let output):
            do {
                let count = try kernel.read(output, into: surroundings.scratch)
                said.append(contentsOf: surroundings.scratch[..<min(count, Self.saidLimit - said.count)])
                isOpen = count > 0
            } catch {
                isOpen = error == .again
            }
            if !isOpen { surroundings.poller.remove(output) }
        case .none: return
        }
        if !isOpen { output = nil }
    }

    /// Its process was reaped.
    func ended(_ process: EndedProcess) {
        exit = process.exit
        scope.ended(process)
    }

    func expire(at now: Instant) { if !isOver, deadline <= now { isLate = true } }

    /// Leaves the loop, with everything it started; to be called once, when it is over or not wanted any more.
    func finish() -> Verdict {
        switch output {
        case .some(let output): surroundings.poller.remove(output)
        case .none: break
        }
        scope.killAll()
        scope.close()
        return verdict
    }

    private var verdict: Verdict {
        if isLate { return .refused("gave no answer to --check-handover within \(Self.limit.words), and was killed") }
        if let failure = kernel.failure(in: report) { return .refused("cannot be run: \(failure.words)") }
        let lines = String(decoding: said, as: UTF8.self).split(whereSeparator: \.isNewline)
        if exit == .code(0), let version = lines.first, version.hasPrefix("ok "), version.utf8.count <= 64 {
            return .fits(version: String(version.dropFirst(3)))
        }
        let last = lines.last.map { ": " + Self.shown($0) } ?? ""
        return .refused("ended with \(exit?.words ?? "no word") where it was asked --check-handover\(last)")
    }

    private static func shown(_ line: Substring) -> String {
        String(String.UnicodeScalarView(line.unicodeScalars.prefix(400).filter { !ControlText.isUnsafe($0) }))
    }
}
