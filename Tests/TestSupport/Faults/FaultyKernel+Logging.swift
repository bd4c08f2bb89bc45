public import System

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension FaultyKernel {
    public func wait(for requests: inout [WaitRequest], atMost limit: Duration?) throws(Errno) {
        try pass(.poll)
        try base.wait(for: &requests, atMost: limit)
    }

    public func setTimerSlack(_ slack: Duration) { base.setTimerSlack(slack) }

    public func peekInTurn(_ socket: borrowing OwnedFD) throws(Errno) {
        try pass(.peekInTurn)
        try base.peekInTurn(socket)
    }

    public func peek(
        _ socket: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> ReceivedMessage {
        try pass(.peek)
        return try base.peek(socket, into: buffer)
    }

    public func makeChangeWatch() throws(Errno) -> OwnedFD { try base.makeChangeWatch() }

    public func watchChanges(in directory: String, by watch: borrowing OwnedFD) throws(Errno) {
        try base.watchChanges(in: directory, by: watch)
    }
}
