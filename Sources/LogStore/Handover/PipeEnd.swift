import System

/// The reading end of a child's pipe, which two threads know: one looks into it, the other takes out what it has written.
final class PipeEnd: Sendable {
    let fd: OwnedFD

    init(_ fd: consuming OwnedFD) { self.fd = fd }
}

/// Takes bytes out of pipes, to nowhere.
final class PipeDrain: Sendable {
    private let kernel: any LogKernel
    private let sink: OwnedFD

    init(_ kernel: any LogKernel) throws(Errno) {
        self.kernel = kernel
        sink = try kernel.open("/dev/null", .writeOnly, mode: 0)
    }

    /// Nothing else takes bytes out of this pipe, so it has them.
    func discard(_ count: Int, of pipe: borrowing OwnedFD) {
        var left = count
        while left > 0, let moved = try? kernel.splice(pipe, to: sink, upTo: left), moved > 0 { left -= moved }
        // What stays in the pipe would be written down again: where there is no memory for a splice, it is read.
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { buffer in
            while left > 0 {
                let chunk = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(left, buffer.count)])
                guard let read = try? kernel.read(pipe, into: chunk), read > 0 else { return }
                left -= read
            }
        }
    }
}
