import Plan

extension TreeRules {
    /// One address has one listener. `0.0.0.0` and `[::]` are every address of their kind; both at a time are none too
    /// many, for nexusd's sockets of IPv6 take no IPv4 (IPV6_V6ONLY, ipv6(7)).
    func checkAddresses() {
        struct Place: Hashable {
            let family: Int
            let port: UInt16
            let kind: SocketPlan.Kind
        }
        var owners: [Place: [OwnedSocket]] = [:]
        var files: [String: OwnedSocket] = [:]
        for child in children {
            for socket in child.plan.sockets {
                let owned = OwnedSocket(socket, child)
                let place: Place
                switch socket.address {
                case .unix(let path):
                    if let other = files.updateValue(owned, forKey: path) { refuse(owned, other) }
                    continue
                case .inet(_, let port): place = Place(family: 4, port: port, kind: socket.kind)
                case .inet6(_, let port): place = Place(family: 6, port: port, kind: socket.kind)
                }
                if let other = owners[place]?.first(where: { $0.collides(with: owned) }) { refuse(owned, other) }
                owners[place, default: []].append(owned)
            }
        }
    }

    private func refuse(_ socket: OwnedSocket, _ other: OwnedSocket) {
        let how = socket.socket.address == other.socket.address ? "listens where" : "cannot listen beside"
        let does = socket.socket.address == other.socket.address ? " does" : ""
        report.error(
            socket.position,
            "the socket \(socket.words) \(how) \(other.words)\(does) (line \(other.position.line)): one address has one"
                + " listener; take another address or port")
    }
}

/// A socket, and where the file says so.
private struct OwnedSocket {
    let socket: SocketPlan
    let words: String
    let position: Position

    init(_ socket: SocketPlan, _ child: BuiltChild) {
        self.socket = socket
        let list = child.reader.position(of: SocketKeys.list)
        var (position, text) = (list, "")
        if case .array(let nodes) = child.reader.table[SocketKeys.list.info.name]?.node.value {
            for case .table(let table) in nodes.map(\.value) {
                guard case .string(socket.name) = table[SocketKeys.name.info.name]?.node.value,
                    let listen = table[SocketKeys.listen.info.name]?.node
                else { continue }
                position = listen.position
                if case .string(let address) = listen.value { text = " on \(address)" }
            }
        }
        self.position = position
        words = "'\(socket.name)' of '\(child.plan.name)'\(text)"
    }

    /// Of one family, port and kind: the same address, or one of them is all of them.
    func collides(with other: Self) -> Bool {
        switch (socket.address, other.socket.address) {
        case (.inet(let host, _), .inet(let otherHost, _)), (.inet6(let host, _), .inet6(let otherHost, _)):
            host == otherHost || !host.contains { $0 != 0 } || !otherHost.contains { $0 != 0 }
        case (.unix, _), (.inet, _), (.inet6, _): false
        }
    }
}
