import CNexus
import Glibc

/// Messages with descriptors and credentials beside them.
public protocol MessageCalls {
    /// sendmsg(2), never blocking, never raising SIGPIPE: bytes sent. `descriptors` are raw numbers that the caller
    /// keeps open until this returns, at most 16. `address` is for datagram sockets that are not connected.
    func send(
        _ socket: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer, passing descriptors: [Int32],
        to address: SocketAddress?
    ) throws(Errno) -> Int
    /// recvmsg(2), never blocking.
    func receive(
        _ socket: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> ReceivedMessage
    /// recvmsg(2) with MSG_PEEK and room for credentials alone, which a socket with SO_PASSCRED has to be asked for: what
    /// is next, of a stream at most up to the first byte that descriptors came with. Nothing is taken, and no descriptor
    /// is received; `descriptorsLost` says that some ride along.
    func look(
        _ socket: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer, credentials: Bool
    ) throws(Errno) -> ReceivedMessage
}

/// What came with one message.
@frozen
public struct ReceivedMessage: ~Copyable, Sendable {
    /// Bytes stored in the buffer; 0 on a stream: the other end sends no more.
    public var count: Int
    /// The message was longer than the buffer and its rest is lost.
    public var truncated: Bool
    /// Some of its descriptors could not be received (MSG_CTRUNC); the kernel closed them.
    public var descriptorsLost: Bool
    /// The sender, when the socket asks for it.
    public var sender: Credentials?
    /// Its descriptors; those not taken are closed.
    public var descriptors: FDBundle

    /// All of it.
    public init(
        count: Int, truncated: Bool, descriptorsLost: Bool, sender: Credentials?, descriptors: consuming FDBundle
    ) {
        self.count = count
        self.truncated = truncated
        self.descriptorsLost = descriptorsLost
        self.sender = sender
        self.descriptors = descriptors
    }
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func send(
        _ socket: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer, passing descriptors: [Int32],
        to address: SocketAddress?
    ) throws(Errno) -> Int {
        var native = nexus_address()
        if let address { native = try address.native() }
        while true {
            let sent = withUnsafePointer(to: &native) {
                nexus_send(
                    socket.raw, bytes.baseAddress, bytes.count, descriptors, descriptors.count,
                    address == nil ? nil : $0)
            }
            if sent >= 0 { return Int(sent) }
            if sent != -Int64(EINTR) { throw Errno(rawValue: Int32(-sent)) }
        }
    }

    public func receive(
        _ socket: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> ReceivedMessage {
        try receive(socket.raw, into: buffer, by: nexus_receive)
    }

    public func look(
        _ socket: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer, credentials: Bool
    ) throws(Errno) -> ReceivedMessage {
        try receive(socket.raw, into: buffer) { nexus_look($0, $1, $2, credentials ? 1 : 0, $3) }
    }

    func receive(
        _ socket: Int32, into buffer: UnsafeMutableRawBufferPointer,
        by call: (Int32, UnsafeMutableRawPointer?, Int, UnsafeMutablePointer<nexus_received>?) -> Int32
    ) throws(Errno) -> ReceivedMessage {
        var received = nexus_received()
        while true {
            let result = call(socket, buffer.baseAddress, buffer.count, &received)
            if result == 0 { break }
            if result != -EINTR { throw Errno(rawValue: -result) }
        }
        let numbers = withUnsafeBytes(of: &received.descriptors) { raw in
            Array(raw.bindMemory(to: Int32.self)[..<received.descriptor_count])
        }
        return ReceivedMessage(
            count: Int(received.length), truncated: received.truncated != 0,
            descriptorsLost: received.descriptors_lost != 0,
            sender: received.has_credentials != 0 ? Credentials(received.credentials) : nil,
            descriptors: FDBundle(owning: numbers))
    }
}
