public import System

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension FaultyKernel {
    public func makeSocket(_ family: SocketFamily, _ kind: SocketKind) throws(Errno) -> OwnedFD {
        try pass(.makeSocket)
        return try base.makeSocket(family, kind)
    }

    public func makeSocketPair(_ kind: SocketKind, blocking: Ends) throws(Errno) -> SocketPair {
        try pass(.makeSocketPair)
        return try base.makeSocketPair(kind, blocking: blocking)
    }

    public func bind(_ socket: borrowing OwnedFD, to address: SocketAddress) throws(Errno) {
        try pass(.bind)
        try base.bind(socket, to: address)
    }

    public func listen(_ socket: borrowing OwnedFD, backlog: Int32) throws(Errno) {
        try pass(.listen)
        try base.listen(socket, backlog: backlog)
    }

    public func accept(_ socket: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        try pass(.accept)
        return try base.accept(socket)
    }

    public func connect(_ socket: borrowing OwnedFD, to address: SocketAddress) throws(Errno) {
        try pass(.connect)
        try base.connect(socket, to: address)
    }

    public func pendingError(_ socket: borrowing OwnedFD) throws(Errno) -> Errno? {
        try pass(.pendingError)
        return try base.pendingError(socket)
    }

    public func boundPort(_ socket: borrowing OwnedFD) throws(Errno) -> UInt16 {
        try pass(.boundPort)
        return try base.boundPort(socket)
    }

    public func isHungUp(_ socket: borrowing OwnedFD) throws(Errno) -> Bool {
        try pass(.isHungUp)
        return try base.isHungUp(socket)
    }

    public func shutdownSending(_ socket: borrowing OwnedFD) throws(Errno) {
        try pass(.shutdownSending)
        try base.shutdownSending(socket)
    }

    public func shutdownReceiving(_ socket: borrowing OwnedFD) throws(Errno) {
        try pass(.shutdownReceiving)
        try base.shutdownReceiving(socket)
    }

    public func refuseDescriptors(_ socket: borrowing OwnedFD) throws(Errno) {
        try pass(.refuseDescriptors)
        try base.refuseDescriptors(socket)
    }

    public func peerCredentials(_ socket: borrowing OwnedFD) throws(Errno) -> Credentials {
        try pass(.peerCredentials)
        return try base.peerCredentials(socket)
    }

    public func peerGroups(_ socket: borrowing OwnedFD) throws(Errno) -> [UInt32] {
        try pass(.peerGroups)
        return try base.peerGroups(socket)
    }

    public func passCredentials(_ socket: borrowing OwnedFD) throws(Errno) {
        try pass(.passCredentials)
        try base.passCredentials(socket)
    }

    public func setSendBuffer(_ socket: borrowing OwnedFD, to bytes: Int32) throws(Errno) {
        try pass(.setSendBuffer)
        try base.setSendBuffer(socket, to: bytes)
    }

    public func prepareListening(_ socket: borrowing OwnedFD) throws(Errno) {
        try pass(.prepareListening)
        try base.prepareListening(socket)
    }

    public func send(
        _ socket: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer, passing descriptors: [Int32],
        to address: SocketAddress?
    ) throws(Errno) -> Int {
        try pass(.send)
        return try base.send(socket, bytes, passing: descriptors, to: address)
    }

    public func receive(_ socket: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer) throws(Errno)
        -> ReceivedMessage
    {
        try pass(.receive)
        return try base.receive(socket, into: buffer)
    }

    public func look(
        _ socket: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer, credentials: Bool
    ) throws(Errno) -> ReceivedMessage {
        try pass(.look)
        return try base.look(socket, into: buffer, credentials: credentials)
    }
}
