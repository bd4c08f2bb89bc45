import System
import TestSupport
import Testing

/// Connects and reads to the end. A class, for the compiler (6.3.1) does not come to an end with a descriptor that is live
/// over the error of its own connect.
final class SocketCaller {
    private let kernel = LiveKernel()
    private let socket: OwnedFD
    private let error: Errno?

    init(_ address: SocketAddress) throws {
        socket = try kernel.makeSocket(address.family, .stream)
        error = Self.connect(kernel, socket, address)
    }

    /// A port of 127.0.0.1 that nobody has.
    static func freePort() throws -> UInt16 {
        let kernel = LiveKernel()
        let socket = try kernel.makeSocket(.inet, .stream)
        try kernel.bind(socket, to: .inet([127, 0, 0, 1], port: 0))
        return try kernel.boundPort(socket)
    }

    private static func connect(
        _ kernel: LiveKernel, _ socket: borrowing OwnedFD, _ address: SocketAddress
    ) -> Errno? {
        do {
            try kernel.connect(socket, to: address)
            return nil
        } catch {
            return error
        }
    }

    /// What was said; nil when the connection was refused.
    func answer() throws -> String? {
        if error == .connectionRefused { return nil }
        #expect(error == nil || error == .inProgress)
        _ = try waitUntil(socket, is: .writable)
        if let late = try kernel.pendingError(socket) {
            #expect(late == .connectionRefused)
            return nil
        }
        return String(decoding: try readToEnd(socket), as: UTF8.self)
    }
}
