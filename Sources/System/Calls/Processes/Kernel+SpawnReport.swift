import CNexus
import SupervisorCore

extension Kernel {
    /// What a child that was spawned has reported so far; never waits.
    public func report(of report: borrowing OwnedFD) throws(Errno) -> SpawnReport {
        var said = nexus_spawn_report()
        let count: Int
        do {
            count = try withUnsafeMutableBytes(of: &said) { bytes throws(Errno) in try read(report, into: bytes) }
        } catch  where error == .again {
            return .none
        }
        // Less than what fits into one write is the end of a pipe.
        guard count == MemoryLayout<nexus_spawn_report>.size else { return .executed }
        return .failed(
            SpawnFailure(
                stage: SpawnStage(rawValue: UInt8(truncatingIfNeeded: said.stage)) ?? .prepare,
                error: Errno(rawValue: said.error)))
    }

    /// Why a child that has ended was never executed; nil: it was.
    public func failure(in report: borrowing OwnedFD) -> SpawnFailure? {
        guard case .failed(let failure)? = try? self.report(of: report) else { return nil }
        return failure
    }
}
