import CNexus

/// Memory that outlives this process wherever somebody else has a descriptor of it, and what is needed to take such
/// descriptors over.
public protocol MemoryCalls {
    /// memfd_create(2), close-on-exec and sealable; empty.
    func makeMemory(_ name: String) throws(Errno) -> OwnedFD
    /// F_ADD_SEALS: from now on nobody changes its bytes or its size.
    func seal(_ memory: borrowing OwnedFD) throws(Errno)
    /// F_GET_SEALS: whether `seal` was called. EINVAL: it is no such memory.
    func isSealed(_ memory: borrowing OwnedFD) throws(Errno) -> Bool
    /// pwrite(2): bytes written.
    func write(_ fd: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(Errno) -> Int
    /// FD_CLOEXEC, which what came by an exec has not. EBADF: there is no such descriptor.
    func closeOnExec(_ fd: borrowing OwnedFD) throws(Errno)
    /// The same by its number, and taken back: what a program is to have that is executed in this process.
    func closeOnExec(_ raw: Int32, _ on: Bool) throws(Errno)
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func makeMemory(_ name: String) throws(Errno) -> OwnedFD {
        OwnedFD(owning: try checked(name.withCString { nexus_make_memory($0) }))
    }

    public func seal(_ memory: borrowing OwnedFD) throws(Errno) { _ = try checked(nexus_seal(memory.raw)) }

    public func isSealed(_ memory: borrowing OwnedFD) throws(Errno) -> Bool {
        try checked(nexus_is_sealed(memory.raw)) == 1
    }

    public func write(
        _ fd: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        let raw = fd.raw
        return Int(try retrying { nexus_pwrite(raw, bytes.baseAddress, bytes.count, offset) })
    }

    public func closeOnExec(_ fd: borrowing OwnedFD) throws(Errno) { try closeOnExec(fd.raw, true) }

    public func closeOnExec(_ raw: Int32, _ on: Bool) throws(Errno) {
        _ = try checked(nexus_close_on_exec(raw, on ? 1 : 0))
    }
}
