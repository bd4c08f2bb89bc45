public import System

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension FaultyKernel {
    public func makeMemory(_ name: String) throws(Errno) -> OwnedFD {
        try pass(.makeMemory)
        return try base.makeMemory(name)
    }

    public func seal(_ memory: borrowing OwnedFD) throws(Errno) {
        try pass(.seal)
        try base.seal(memory)
    }

    public func isSealed(_ memory: borrowing OwnedFD) throws(Errno) -> Bool {
        try pass(.isSealed)
        return try base.isSealed(memory)
    }

    public func write(
        _ fd: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        try pass(.writeAt)
        return try base.write(fd, bytes, at: offset)
    }

    public func closeOnExec(_ fd: borrowing OwnedFD) throws(Errno) {
        try pass(.closeOnExec)
        try base.closeOnExec(fd)
    }

    public func closeOnExec(_ raw: Int32, _ on: Bool) throws(Errno) {
        try pass(.closeOnExec)
        try base.closeOnExec(raw, on)
    }
}
