import CNexus

/// Looking at messages before taking them. Not part of `Kernel`: only log-writer needs it, whose work is not done when it
/// has read a message but when it has written it down.
public protocol PeekCalls {
    /// SO_PEEK_OFF at 0: from now on each `peek` goes on behind the one before, and `receive` takes from the front.
    func peekInTurn(_ socket: borrowing OwnedFD) throws(Errno)
    /// recvmsg(2) with MSG_PEEK, never blocking: the message stays in the queue, its descriptors are duplicates.
    func peek(
        _ socket: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> ReceivedMessage
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func peekInTurn(_ socket: borrowing OwnedFD) throws(Errno) {
        _ = try checked(nexus_peek_in_turn(socket.raw))
    }

    public func peek(
        _ socket: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> ReceivedMessage {
        try receive(socket.raw, into: buffer, by: nexus_peek)
    }
}
