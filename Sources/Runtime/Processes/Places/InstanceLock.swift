public import System

/// One nexusd a runtime directory. The lock is the truth; the pid in the file is for the words of the one refused.
public final class InstanceLock {
    private let kernel: any Kernel
    private let fd: OwnedFD

    /// Why there is no lock.
    public enum Refusal: Error, Hashable, Sendable {
        /// Another one holds it; its pid, when the file says one.
        case held(by: ProcessID?)
        /// The file cannot be used.
        case failed(Errno)
    }

    /// Takes the lock and writes the own pid. It lasts as long as this object, and goes with the process.
    public init(_ kernel: any Kernel, path: String) throws(Refusal) {
        self.kernel = kernel
        fd = try Self.take(kernel, path)
    }

    /// One that is refused may take its file away just when it was opened here: then there is another file to lock.
    private static let attempts = 8

    private static func take(_ kernel: any Kernel, _ path: String) throws(Refusal) -> OwnedFD {
        for _ in 0..<attempts {
            let holder: [UInt8]
            do {
                let fd = try kernel.open(path, [.readWrite, .create, .noFollow], mode: 0o644)
                if try kernel.lock(fd) {
                    guard try kernel.status(fd).links > 0 else { continue }
                    try kernel.truncate(fd, to: 0)
                    try kernel.writeAll(fd, Array("\(kernel.processID())\n".utf8))
                    return fd
                }
                holder = (try? kernel.readAll(fd, limit: 32)) ?? []
            } catch {
                throw .failed(error)
            }
            let digits = holder.prefix { $0 != UInt8(ascii: "\n") }
            throw .held(by: decimal(digits).map { ProcessID(rawValue: Int32(truncatingIfNeeded: $0)) })
        }
        throw .failed(.again)
    }
}
