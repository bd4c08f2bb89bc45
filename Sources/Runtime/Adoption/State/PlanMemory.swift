import Plan
import System

/// The plan in force, in memory that nobody can change any more.
enum PlanMemory {
    static func make(_ encoded: [UInt8], _ kernel: any Kernel) throws(Errno) -> OwnedFD {
        let fd = try kernel.makeMemory("nexus-plan")
        try kernel.writeAll(fd, encoded)
        try kernel.seal(fd)
        return fd
    }

    /// The one that came back.
    static func read(_ fd: borrowing OwnedFD, _ kernel: any Kernel) throws -> Plan {
        guard try kernel.isSealed(fd) else { throw PlanError.notAPlan }
        var bytes: [UInt8] = []
        try withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { buffer in
            // By offset: the place in the file is shared with whoever read it before.
            while case let count = try kernel.read(fd, into: buffer, at: Int64(bytes.count)), count > 0 {
                bytes += buffer[..<count]
                guard bytes.count <= Plan.encodedLimit else { throw PlanError.tooLarge(bytes: bytes.count) }
            }
        }
        return try Plan(encoded: bytes)
    }
}
