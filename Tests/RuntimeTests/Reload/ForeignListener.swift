import System

/// A port of which somebody else listens, as long as this object is there.
final class ForeignListener {
    let port: UInt16
    private let socket: OwnedFD

    init(_ host: [UInt8] = [127, 0, 0, 1], port wanted: UInt16 = 0) throws {
        let kernel = LiveKernel()
        socket = try kernel.makeSocket(.inet, .stream)
        try kernel.bind(socket, to: .inet(host, port: wanted))
        try kernel.listen(socket, backlog: 1)
        port = try kernel.boundPort(socket)
    }
}
