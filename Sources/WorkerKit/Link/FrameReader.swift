import Foundation
import Glibc
import Wire

/// Reads frames from the pipe on a thread of its own: a worker's fd 3 is blocking by contract (so that a worker in any
/// language can use plain read(2)), and a blocking read on Swift's cooperative pool would hold one of its few threads
/// for ever. The thread only sorts frames into the exchange; it never waits for anything but the pipe.
struct FrameReader {
    static let bufferBytes = 65_536

    /// Calls `body` for each frame and `ended` once, with the fault when it was not a clean end of file.
    static func start(
        descriptor: Int32, body: @escaping @Sendable (Frame) -> Void,
        ended: @escaping @Sendable (String?) -> Void
    ) {
        let thread = Thread { ended(read(descriptor, body)) }
        thread.name = "bus reader"
        thread.start()
    }

    private static func read(_ descriptor: Int32, _ body: (Frame) -> Void) -> String? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 16)
        defer { buffer.deallocate() }
        var decoder = FrameDecoder()
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count == 0 { return decoder.isAtBoundary ? nil : "the bus ended inside a frame" }
            if count < 0 {
                if errno == EINTR { continue }
                return "the bus cannot be read: \(String(cString: strerror(errno)))"
            }
            var rest = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            do {
                while let frame = try decoder.next(from: &rest) { body(frame) }
            } catch {
                return error.description
            }
        }
    }
}
