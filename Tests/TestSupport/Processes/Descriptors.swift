import CNexus
import System

/// Open descriptors of this process, for leak checks. Meaningful only where no other test runs: in an exit test.
public func openDescriptors() -> Set<Int32> {
    // The directory's own descriptor is closed again by the time it is looked up.
    let names = (try? LiveKernel().list("/proc/self/fd")) ?? []
    return Set(names.compactMap { Int32($0) }.filter { nexus_fcntl($0, F_GETFD, 0) >= 0 })
}
