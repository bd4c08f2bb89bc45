import CNexus
import System

/// Open descriptors of this process, for leak checks. Meaningful only where no other test runs: in an exit test.
public func openDescriptors() -> Set<Int32> {
    // The directory's own descriptor is closed again by the time it is looked up.
    let names = (try? LiveKernel().list("/proc/self/fd")) ?? []
    return Set(names.compactMap { Int32($0) }.filter { nexus_fcntl($0, F_GETFD, 0) >= 0 })
}

/// Whether running the body again and again leaves descriptors open. Only a growth of one in four rounds counts: the
/// testing library opens and closes a few of its own meanwhile.
public func leaksDescriptors(over rounds: Int, _ body: () throws -> Void) rethrows -> Bool {
    let before = openDescriptors().count
    for _ in 0..<rounds { try body() }
    return openDescriptors().count - before >= max(rounds / 4, 5)
}
