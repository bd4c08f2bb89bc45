import Plan
import SupervisorCore

extension ChildBuilder {
    /// `sockets = [...]`.
    func sockets(_ texts: TextBuilder, _ identity: Identity?) -> [SocketPlan] {
        guard let nodes = reader(SocketKeys.list) else { return [] }
        let position = reader.keyPosition(of: SocketKeys.list)
        if nodes.count > SocketPlan.limit {
            report.error(position, "\(nodes.count) sockets; a child has at most \(SocketPlan.limit)")
        }
        var sockets: [SocketPlan] = []
        for node in nodes {
            guard let socket = socket(node, texts, identity) else { continue }
            if sockets.contains(where: { $0.name == socket.name }) {
                report.error(node.position, "the socket '\(socket.name)' is given twice; take another name")
            }
            sockets.append(socket)
        }
        return sockets
    }

    private func socket(_ node: Node, _ texts: TextBuilder, _ identity: Identity?) -> SocketPlan? {
        guard case .table(let table) = node.value else {
            report.error(
                node.position,
                "'sockets' must hold tables such as { name = \"web\", listen = \"127.0.0.1:8080\" }, found \(node.kind)"
            )
            return nil
        }
        let below = SectionReader(
            SocketKeys.section, table, label: "a socket of \(reader.label)", report: report)
        guard let name = below(SocketKeys.name), let listen = below(SocketKeys.listen) else {
            for key in [SocketKeys.name, SocketKeys.listen] where below.isMissing(key) {
                report.error(table.position, "\(below.label) has no '\(key.info.name)'")
            }
            return nil
        }
        if !Name.isValid(name) {
            report.error(below.position(of: SocketKeys.name), "'\(name)' is no name of a socket; take \(Name.form)")
            return nil
        }
        guard let plain = texts.plain(listen, below.position(of: SocketKeys.listen), key: "listen"),
            let address = SocketRule(host: host, report: report, places: context.places).address(
                plain, below.position(of: SocketKeys.listen))
        else { return nil }
        let kind: SocketPlan.Kind =
            switch below(SocketKeys.type) {
            case .stream: .stream
            case .datagram: .datagram
            }
        return SocketPlan(
            name: name, address: address, kind: kind, backlog: UInt16(below(SocketKeys.backlog)),
            file: file(of: address, below, identity))
    }

    /// Whom the file of a unix socket lets in; for other addresses these keys are wrong.
    private func file(of address: SocketPlan.Address, _ below: SectionReader, _ identity: Identity?) -> SocketPlan.File?
    {
        guard case .unix = address else {
            for name in [SocketKeys.mode.info.name, SocketKeys.user.info.name, SocketKeys.group.info.name] {
                guard let entry = below.table[name] else { continue }
                report.error(entry.position, "'\(name)' is for unix sockets, which have a file; take it out")
            }
            return nil
        }
        let people = People(host: host, report: report)
        var file = SocketPlan.File(
            mode: below(SocketKeys.mode), user: identity?.uid ?? host.userID, group: identity?.gid ?? host.groupID)
        if let text = below(SocketKeys.user) {
            file.user = people.user(text, below.position(of: SocketKeys.user), key: "user")?.id ?? file.user
        }
        if let text = below(SocketKeys.group) {
            file.group = people.group(text, below.position(of: SocketKeys.group), key: "group") ?? file.group
        }
        for key in [SocketKeys.user, SocketKeys.group] where below.has(key) && !host.may(.changeOwner) {
            report.error(
                below.position(of: key),
                "'\(key.info.name)' needs the right to give files away, which uid \(host.userID) has not; take it out")
        }
        return file
    }

    /// `capabilities = { … }`.
    func capabilities(_ identity: Identity?) -> Capabilities {
        guard let below = reader.below(ChildIdentityKeys.capabilities) else { return Capabilities() }
        func set(_ names: [Placed<String>]) -> UInt64 {
            names.reduce(0) { set, name in
                guard let number = CapabilityName.number(name.value) else {
                    report.error(
                        name.position, "unknown capability '\(name.value)'\(CapabilityName.hint(name.value))")
                    return set
                }
                return set | 1 << UInt64(number)
            }
        }
        let ambientNames = below(CapabilityKeys.ambient)
        let rights = Capabilities(bounding: below(CapabilityKeys.bounding).map(set), ambient: set(ambientNames))
        if rights.bounding != nil, !host.may(.limitCapabilities) {
            report.error(
                below.position(of: CapabilityKeys.bounding),
                "'bounding' needs the right to drop capabilities (CAP_SETPCAP), which uid \(host.userID) has not; take it out"
            )
        }
        for name in ambientNames {
            guard let number = CapabilityName.number(name.value) else { continue }
            if let bounding = rights.bounding, bounding >> UInt64(number) & 1 == 0 {
                report.error(
                    name.position, "'\(name.value)' is not in 'bounding', which is the most that the child can have")
            } else if !host.has(capability: number) {
                report.error(name.position, "nexusd has no '\(name.value)' itself and cannot give it away")
            }
        }
        return rights
    }
}
