import System

extension Kernel {
    /// Listening sockets of an earlier nexusd with which this one does not go on. systemd has them until it has heard that they may
    /// go; until then nobody is to meet them at their addresses. TCP and unix streams are ended by shutdown(2), ports of UDP are
    /// free as they are, by SO_REUSEADDR, and of a unix datagram socket the file goes.
    func freeAddresses(of unclaimed: [UInt64: KeptDescriptor]) {
        for inode in unclaimed.keys.sorted() {
            guard let fd = unclaimed[inode]?.take() else { continue }
            try? shutdownReceiving(fd)
            guard let path = SocketHolders.path(ofDatagrams: inode, self),
                OpenSocket.isLeftOver(self, path, .datagram, isShutDown: true)
            else { continue }
            try? removeFile(path)
        }
    }
}
