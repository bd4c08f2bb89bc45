import System

/// Looks into a pipe without taking anything out: tee(2) copies its bytes into a pipe of our own, from which they are read.
/// Whoever kills us then has lost nothing.
final class PipePeek {
    private let kernel: any LogKernel
    private let own: Pipe
    private var capacity: Int
    private var scratch: UnsafeMutableRawBufferPointer?

    init(_ kernel: any LogKernel) throws(Errno) {
        self.kernel = kernel
        own = try kernel.makePipe(blocking: [])
        capacity = try kernel.pipeSize(own.write)
    }

    deinit { scratch?.deallocate() }

    /// Everything in the pipe, as far as our own pipe can hold it: valid until the next look. Empty when the writers are gone
    /// and nothing is left; EAGAIN when nothing is there now.
    func look(_ pipe: borrowing OwnedFD, pipeBytes: Int) throws(Errno) -> UnsafeRawBufferPointer {
        if pipeBytes > capacity, let grown = try? kernel.setPipeSize(own.write, to: pipeBytes) {
            capacity = grown
            release()
        }
        let buffer = scratch ?? .allocate(byteCount: capacity, alignment: 64)
        scratch = buffer
        let count = try kernel.tee(pipe, to: own.write, upTo: capacity)
        var filled = 0
        while filled < count {
            filled += try kernel.read(own.read, into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<count]))
        }
        return UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }

    /// Gives the memory back until the next look.
    func release() {
        scratch?.deallocate()
        scratch = nil
    }
}
