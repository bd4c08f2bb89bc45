extension Kernel {
    /// A whole small file; EFBIG above `limit` bytes, EINVAL for what is no regular file. Works for /proc and /sys, whose
    /// files have size 0.
    public func readFile(_ path: String, limit: Int) throws(Errno) -> [UInt8] {
        let fd = try openRegular(path, [.readOnly, .nonBlocking], mode: 0)
        return try readAll(fd, limit: limit)
    }

    /// A regular file, and nothing else that may be in its place: EINVAL for a FIFO, a socket or a device, whose opening or
    /// reading could block for ever. Give `noFollow` and `nonBlocking`, which means nothing for a regular file.
    public func openRegular(_ path: String, _ flags: OpenFlags, mode: UInt16) throws(Errno) -> OwnedFD {
        let fd = try open(path, flags, mode: mode)
        guard try status(fd).kind == .regular else { throw .invalid }
        return fd
    }

    /// Everything up to the end; EFBIG above `limit` bytes.
    public func readAll(_ fd: borrowing OwnedFD, limit: Int) throws(Errno) -> [UInt8] {
        var content: [UInt8] = []
        while true {
            let chunk = try readChunk(fd)
            if chunk.isEmpty { return content }
            guard content.count + chunk.count <= limit else { throw .tooLarge }
            content.append(contentsOf: chunk)
        }
    }

    private func readChunk(_ fd: borrowing OwnedFD) throws(Errno) -> [UInt8] {
        try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { buffer throws(Errno) in
            let count = try read(fd, into: buffer)
            return Array(UnsafeRawBufferPointer(buffer)[..<count])
        }
    }

    /// Everything, on a descriptor that blocks or is a regular file.
    public func writeAll(_ fd: borrowing OwnedFD, _ bytes: [UInt8]) throws(Errno) {
        var offset = 0
        while offset < bytes.count {
            let start = offset
            offset += try bytes.withUnsafeBufferPointer { all throws(Errno) in
                try write(fd, UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[start...])))
            }
        }
    }

    /// Replaces a file by writing a new one beside it and renaming: readers see the old or the new content, and a link
    /// that somebody put there is replaced, not followed. The directory must be ours.
    public func replaceFile(_ path: String, with bytes: [UInt8], mode: UInt16) throws(Errno) {
        let temporary = path + ".new"
        do { try removeFile(temporary) } catch  where error == .noEntry {}
        let flags: OpenFlags = [.writeOnly, .create, .exclusive, .noFollow]
        let fd = try open(temporary, flags, mode: mode)
        do {
            try changeMode(fd, to: mode)  // whatever the umask says
            try writeAll(fd, bytes)
            try rename(temporary, to: path)
        } catch {
            try? removeFile(temporary)
            throw error
        }
    }
}
