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

    /// Nothing else takes bytes out of this pipe, so it has them; an error would show at the next look.
    func discard(_ count: Int, of pipe: borrowing OwnedFD) {
        var left = count
        while left > 0, let moved = try? kernel.splice(pipe, to: sink, upTo: left), moved > 0 { left -= moved }
    }
}
