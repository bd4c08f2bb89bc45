import SupervisorCore
import Wire

/// The number of an output stream on the log link. It says which child, which of its latest runs and which output, so
/// that a report is matched without a table.
struct StreamNumber: Hashable, Sendable {
    /// Child in the upper 16 bits, then 15 bits of the run's count, then 1 for stderr.
    let rawValue: UInt32

    init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ child: ChildID, _ run: RunID, _ kind: StreamKind) {
        let stderr: UInt32 = kind == .stderr ? 1 : 0
        rawValue = UInt32(child.rawValue) << 16 | UInt32(run.rawValue & 0x7FFF) << 1 | stderr
    }

    var child: ChildID { ChildID(rawValue: UInt16(rawValue >> 16)) }

    var kind: StreamKind { rawValue & 1 == 1 ? .stderr : .stdout }

    /// At most 4 runs of a child are kept, so that 15 bits cannot be ambiguous.
    func isOf(_ run: RunID) -> Bool { UInt32(run.rawValue & 0x7FFF) == rawValue >> 1 & 0x7FFF }
}
