import System

extension Kernel {
    /// Listening sockets of an earlier nexusd with which this one does not go on. systemd has them until it has heard that they may
    /// go; until then nobody is to meet them at their addresses. Ports of UDP are free as they are, by SO_REUSEADDR.
    func freeAddresses(of unclaimed: [UInt64: KeptDescriptor]) {
        for inode in unclaimed.keys.sorted() {
            guard let fd = unclaimed[inode]?.take() else { continue }
            try? shutdownReceiving(fd)
            guard let path = SocketHolders.path(ofBound: inode, self),
                (try? status(path, followingLinks: false))?.kind == .socket
            else { continue }
            try? removeFile(path)
        }
    }
}
