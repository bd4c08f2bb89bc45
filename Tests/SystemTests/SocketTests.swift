import CNexus
import SupervisorCore
import System
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SocketTests {
    let kernel = LiveKernel()

    private func send(
        _ text: String, on socket: borrowing OwnedFD, passing descriptors: [Int32] = [],
        to address: SocketAddress? = nil
    ) throws -> Int {
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBufferPointer {
            try kernel.send(socket, UnsafeRawBufferPointer($0), passing: descriptors, to: address)
        }
    }

    private func receive(
        on socket: borrowing OwnedFD, capacity: Int = 4096
    ) throws -> (text: String, message: HeldMessage) {
        var buffer = [UInt8](repeating: 0, count: capacity)
        let message = try buffer.withUnsafeMutableBufferPointer {
            HeldMessage(try kernel.receive(socket, into: UnsafeMutableRawBufferPointer($0)))
        }
        return (String(decoding: buffer[..<message.value.count], as: UTF8.self), message)
    }

    /// A message in a tuple: what is not copyable may not be in one.
    final class HeldMessage {
        var value: ReceivedMessage
        init(_ value: consuming ReceivedMessage) { self.value = value }
    }

    @Test func pathOf107Bytes_isBound_andOf108Refused() throws {
        let directory = TemporaryDirectory()
        let fitting = directory.path + "/" + String(repeating: "x", count: 106 - directory.path.utf8.count)
        let socket = try kernel.makeSocket(.unix, .stream)
        try kernel.bind(socket, to: .path(fitting))
        let other = try kernel.makeSocket(.unix, .stream)
        #expect(throws: Errno.nameTooLong) { try kernel.bind(other, to: .path(fitting + "x")) }
        #expect(throws: Errno.invalid) { try kernel.bind(other, to: .path("")) }
        #expect(throws: Errno.invalid) { try kernel.bind(other, to: .path("/tmp/a\0b")) }
    }

    @Test func stream_peerIsKnownByTheKernel() throws {
        let directory = TemporaryDirectory()
        let listener = try kernel.makeSocket(.unix, .stream)
        try kernel.bind(listener, to: .path(directory.path + "/s"))
        try kernel.listen(listener, backlog: 4)
        #expect(throws: Errno.again) { _ = try kernel.accept(listener) }
        let client = try kernel.makeSocket(.unix, .stream)
        try kernel.connect(client, to: .path(directory.path + "/s"))
        let server = try kernel.accept(listener)
        let peer = try kernel.peerCredentials(server)
        #expect(peer.process == kernel.processID() && peer.user == kernel.userID() && peer.group == kernel.groupID())
        _ = try kernel.peerGroups(server)
        #expect(throws: Errno.again) { _ = try receive(on: server) }
        try kernel.shutdownSending(client)
        #expect(try receive(on: server).message.value.count == 0)
    }

    @Test func seqpacket_keepsBoundariesAndPassesDescriptors() throws {
        let pair = try kernel.makeSocketPair(.seqpacket, blocking: [])
        let pipe = try kernel.makePipe(blocking: [])
        _ = try send("one", on: pair.first, passing: [pipe.write.raw])
        _ = try send("two", on: pair.first)
        let (first, message) = try receive(on: pair.second)
        #expect(first == "one" && message.value.descriptors.count == 1)
        #expect(try receive(on: pair.second).text == "two")
        let taken = HeldFD(message.value.descriptors.take())
        let passed = try #require(taken)
        _ = try Array("x".utf8).withUnsafeBufferPointer { try kernel.write(passed.fd, UnsafeRawBufferPointer($0)) }
        #expect(try kernel.readableBytes(pipe.read) == 1)
    }

    final class HeldFD {
        let fd: OwnedFD
        init?(_ fd: consuming OwnedFD?) {
            guard let fd else { return nil }
            self.fd = fd
        }
    }

    @Test func descriptorsNobodyTakes_areClosed() throws {
        let pair = try kernel.makeSocketPair(.datagram, blocking: [])
        let pipe = try kernel.makePipe(blocking: [])
        let read = pipe.read
        _ = try send("x", on: pair.first, passing: [pipe.write.raw])
        _ = consume pipe.write
        do { _ = try receive(on: pair.second) }
        // Every writer is gone: the descriptor that came along did not stay open.
        #expect(try readToEnd(read, within: .seconds(5)).isEmpty)
        #expect(try waitUntil(read, is: .hangUp, within: .seconds(5)))
    }

    @Test func moreThan16Descriptors_areRefused() throws {
        let pair = try kernel.makeSocketPair(.datagram, blocking: [])
        let many = [Int32](repeating: 0, count: 17)
        #expect(throws: Errno(rawValue: E2BIG)) { _ = try send("x", on: pair.first, passing: many) }
    }

    @Test func longDatagram_isMarkedTruncated() throws {
        let pair = try kernel.makeSocketPair(.datagram, blocking: [])
        _ = try send("0123456789", on: pair.first)
        let (text, message) = try receive(on: pair.second, capacity: 4)
        #expect(text == "0123" && message.value.truncated)
    }

    @Test func datagramToAbstractName_bringsCredentials() throws {
        let name = "nexus-test-\(kernel.processID())-\(kernel.monotonic().nanoseconds)"
        let receiver = try kernel.makeSocket(.unix, .datagram)
        try kernel.passCredentials(receiver)
        try kernel.bind(receiver, to: .abstract(name))
        let sender = try kernel.makeSocket(.unix, .datagram)
        #expect(try send("READY=1", on: sender, to: SocketAddress(notifySocket: "@" + name)) == 7)
        let (text, message) = try receive(on: receiver)
        #expect(text == "READY=1" && message.value.sender?.user == kernel.userID())
    }

    @Test func fullSocket_isEAGAIN() throws {
        let pair = try kernel.makeSocketPair(.stream, blocking: [])
        try kernel.setSendBuffer(pair.first, to: 4096)
        let block = String(repeating: "x", count: 65_536)
        #expect(throws: Errno.again) { for _ in 0..<100 { _ = try send(block, on: pair.first) } }
    }

    @Test func closedPeer_isEPIPEWithoutASignal() throws {
        let pair = try kernel.makeSocketPair(.stream, blocking: [])
        let first = pair.first
        _ = close(pair.second.release())
        #expect(throws: Errno.brokenPipe) { _ = try send("x", on: first) }
    }

    @Test func loopbackConnect_succeedsOrTellsWhyNot() throws {
        let listener = try kernel.makeSocket(.inet, .stream)
        try kernel.bind(listener, to: .inet([127, 0, 0, 1], port: 0))
        let port = try kernel.boundPort(listener)
        let refused = try kernel.makeSocket(.inet, .stream)
        #expect(throws: (any Error).self) { try connect(refused, port) }
        try kernel.listen(listener, backlog: 1)
        let accepted = try kernel.makeSocket(.inet, .stream)
        try connect(accepted, port)
        _ = try kernel.accept(listener)
    }

    private func connect(_ socket: borrowing OwnedFD, _ port: UInt16) throws {
        do {
            try kernel.connect(socket, to: .inet([127, 0, 0, 1], port: port))
        } catch  where error == .inProgress {
            #expect(try waitUntil(socket, is: .writable))
            if let error = try kernel.pendingError(socket) { throw error }
        }
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"), ("localhost", "127.0.0.1:80"), ("127.1.2.3", "127.1.2.3:80"),
        ("::1", "[::1]:80"),
        ("[::1]", "[::1]:80"),
    ]) func loopbackHosts_areUnderstood(host: String, shown: String) {
        #expect(SocketAddress(loopback: host, port: 80)?.description == shown)
    }

    @Test(arguments: ["10.0.0.1", "example.org", "127.0.0", "127.0.0.256", "", "0.0.0.0", "::", "127.0.0.1.1"])
    func otherHosts_areRefused(host: String) { #expect(SocketAddress(loopback: host, port: 80) == nil) }
}
