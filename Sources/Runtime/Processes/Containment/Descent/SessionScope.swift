import SupervisorCore
import System

/// A run without a cgroup: see `Descendants` for what can be told.
final class SessionScope: RunScope {
    private let kernel: any Kernel
    private let descendants: Descendants
    private let run: RunID
    private var cpu: Duration = .zero
    private var peakBytes: UInt64?

    init(_ kernel: any Kernel, _ descendants: Descendants, run: RunID) {
        self.kernel = kernel
        self.descendants = descendants
        self.run = run
        descendants.open(run)
    }

    var cgroup: Int32? { nil }

    var cgroupPath: String? { nil }

    func began(_ process: ProcessID) { descendants.began(process, in: run) }

    func ended(_ ended: EndedProcess) {
        descendants.ended(ended.process)
        cpu += ended.cpu
        if ended.peakBytes > descendants.inheritedPeakBytes() { peakBytes = max(peakBytes ?? 0, ended.peakBytes) }
    }

    func sweep(_ signal: Signal?) -> any Sweep { SessionSweep(descendants, run: run, signal: signal) }

    var hasNewcomers: Bool { descendants.hasNewcomers(run) }

    func isEmpty() -> Bool { descendants.isEmpty(run) }

    func members() -> [ProcessEntry] { descendants.members(run) }

    func holds(_ process: ProcessID) -> Bool? { descendants.run(of: process).map { $0 == run } }

    func oomKills() -> UInt64? { nil }

    func usage() -> RunUsage { RunUsage(cpu: cpu, peakBytes: peakBytes) }

    func memory() -> UInt64? { ProcessTable.memory(of: members().map(\.process), kernel) }

    func watch(with poller: borrowing Poller, token: UInt64) throws(Errno) {}

    func unwatch(with poller: borrowing Poller) {}

    func close() { descendants.close(run) }
}
