public import System

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension FaultyKernel {
    public func makePipe(blocking: Ends) throws(Errno) -> Pipe {
        try pass(.makePipe)
        return try base.makePipe(blocking: blocking)
    }

    public func pipeSize(_ pipe: borrowing OwnedFD) throws(Errno) -> Int {
        try pass(.pipeSize)
        return try base.pipeSize(pipe)
    }

    public func setPipeSize(_ pipe: borrowing OwnedFD, to bytes: Int) throws(Errno) -> Int {
        try pass(.setPipeSize)
        return try base.setPipeSize(pipe, to: bytes)
    }

    public func readableBytes(_ fd: borrowing OwnedFD) throws(Errno) -> Int {
        try pass(.readableBytes)
        return try base.readableBytes(fd)
    }

    public func tee(_ source: borrowing OwnedFD, to target: borrowing OwnedFD, upTo count: Int) throws(Errno) -> Int {
        try pass(.tee)
        return try base.tee(source, to: target, upTo: count)
    }

    public func splice(_ source: borrowing OwnedFD, to target: borrowing OwnedFD, upTo count: Int) throws(Errno) -> Int
    {
        try pass(.splice)
        return try base.splice(source, to: target, upTo: count)
    }
}
