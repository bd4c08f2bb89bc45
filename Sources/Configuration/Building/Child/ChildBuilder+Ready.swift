import Plan
import SupervisorCore

extension ChildBuilder {
    /// How readiness is learned, and what the core is told of it.
    func readiness(_ programs: Programs, _ texts: inout TextBuilder) -> (kind: Readiness, rule: ReadyRule) {
        let standard: (Readiness, ReadyRule) = draft.isWorker ? (.bus, .reported) : (.spawned, .spawned)
        guard let node = reader(ChildReadyKeys.ready) else { return standard }
        switch node.value {
        case .string(let word): return readiness(word, node.position) ?? standard
        case .table(let table):
            let reader = SectionReader(
                ReadyKeys.section, table, label: "'ready' of \(self.reader.label)", report: report)
            return readiness(in: reader, programs, &texts) ?? standard
        case .integer, .float, .boolean, .time, .array:
            report.error(
                node.position,
                "'ready' must be a word such as \"notify\" or a table such as { fd = 3 }, found \(node.kind)")
            return standard
        }
    }

    private func readiness(_ word: String, _ position: Position) -> (Readiness, ReadyRule)? {
        switch word {
        case "spawned", "none": return (.spawned, .spawned)
        case "notify": return (.notify, .reported)
        case "health": return (.health, .reported)
        case "done":
            if reader(ChildKeys.restart) == .always, !reader.has(ChildKeys.schedule) {
                report.error(
                    position,
                    "ready = \"done\" is for a child that ends with success; add restart = \"on-failure\" or \"never\"")
            }
            return (.done, .reported)
        case "bus":
            if !draft.isWorker {
                report.error(
                    position, "ready = \"bus\" is for workers; add worker = true, or take another way to be ready")
            }
            return (.bus, .reported)
        case _:
            let words = ["spawned", "notify", "bus", "health", "done", "none"]
            var hint = Nearest.hint(for: word, among: words)
            if hint.isEmpty { hint = ", or a table with fd, tcp, log-line, exec or http" }
            report.error(
                position,
                "'ready' must be one of \(words.map { "\"\($0)\"" }.joined(separator: ", ")), found \"\(word)\"\(hint)")
            return nil
        }
    }

    private func readiness(
        in reader: SectionReader, _ programs: Programs, _ texts: inout TextBuilder
    ) -> (Readiness, ReadyRule)? {
        let kinds = ["fd", "tcp", "log-line", "exec", "http"]
        guard isSingle(kinds, reader) else { return nil }
        let isProbed =
            reader.has(ProbeKeys.tcp) || reader.has(ProbeKeys.exec) || reader.has(ProbeKeys.http)
        let interval = reader(ReadyKeys.interval)
        // Its value is `firstProbe`'s to take; what is wrong with it is said here.
        _ = reader(ReadyKeys.first)
        refuseStatus(reader)
        for key in [ReadyKeys.first, ReadyKeys.interval, ProbeKeys.timeout] where !isProbed && reader.has(key) {
            report.error(
                reader.keyPosition(of: key),
                "'\(key.info.name)' is for tcp, exec and http; take it out, or set start-timeout"
            )
        }
        if isProbed {
            return probe(reader, programs, &texts, .argument).map { (.probe($0), .probed(interval: interval)) }
        }
        if reader.has(ReadyKeys.fd) { return reader(ReadyKeys.fd).map { descriptor($0, reader) } }
        // Wrong types and patterns were reported when the drafts were made, or are reported here.
        _ = reader(ReadyKeys.logLine)
        return draft.pattern.map { (.logLine($0), .reported) }
    }

    /// `first` of `ready`.
    var firstProbe: Duration {
        guard case .table(let table) = reader(ChildReadyKeys.ready)?.value, let node = table["first"]?.node else {
            return ReadyKeys.first.initial
        }
        // What is wrong with it is reported where the table is read.
        return (try? ReadyKeys.first.read(node)) ?? ReadyKeys.first.initial
    }

    private func descriptor(_ number: Int, _ reader: SectionReader) -> (Readiness, ReadyRule) {
        if draft.isWorker, number <= 4 {
            report.error(
                reader.position(of: ReadyKeys.fd),
                "fds 3 and 4 of a worker are the bus; take another number, or ready = \"bus\"")
        }
        let free = (draft.isWorker ? 5 : 3) + (self.reader(SocketKeys.list)?.count ?? 0)
        if number < free, !draft.isWorker || number > 4 {
            report.error(reader.position(of: ReadyKeys.fd), "fd \(number) is one of its sockets; take \(free) or more")
        }
        return (.descriptor(Int32(number)), .reported)
    }

    /// The repeated probe of a ready child.
    func liveness(_ programs: Programs, _ texts: inout TextBuilder) -> (probe: Probe, rule: LivenessRule)? {
        guard let reader = reader.below(ChildReadyKeys.liveness), isSingle(["tcp", "exec", "http"], reader) else {
            return nil
        }
        let rule = LivenessRule(
            interval: reader(LivenessKeys.interval), misses: UInt8(reader(LivenessKeys.misses)),
            first: reader(LivenessKeys.first))
        refuseStatus(reader)
        return probe(reader, programs, &texts, .liveness).map { ($0, rule) }
    }

    private func refuseStatus(_ reader: SectionReader) {
        guard reader.has(ProbeKeys.status), !reader.has(ProbeKeys.http) else { return }
        report.error(reader.keyPosition(of: ProbeKeys.status), "'status' is for http; take it out")
    }

    private func isSingle(_ kinds: [String], _ reader: SectionReader) -> Bool {
        let given = kinds.compactMap { reader.table[$0] }
        if given.count == 1 { return true }
        let list = kinds.joined(separator: ", ")
        let found = given.isEmpty ? "none" : given.map(\.key).joined(separator: " and ")
        report.error(
            given.count > 1 ? given[1].position : reader.table.position,
            "\(reader.label) must have exactly one of \(list), found \(found)")
        return false
    }

    private func probe(
        _ reader: SectionReader, _ programs: Programs, _ texts: inout TextBuilder, _ use: TextBuilder.Use
    ) -> Probe? {
        let timeout = reader(ProbeKeys.timeout)
        if let url = reader(ProbeKeys.http) {
            return http(url, reader.position(of: ProbeKeys.http), reader(ProbeKeys.status), timeout, &texts, use)
        }
        if let address = reader(ProbeKeys.tcp) {
            return tcp(address, reader.position(of: ProbeKeys.tcp), timeout, &texts, use)
        }
        let command = reader(ProbeKeys.exec)
        guard let first = command.first else {
            if case .array(let list) = reader.table["exec"]?.node.value, list.isEmpty {
                report.error(reader.position(of: ProbeKeys.exec), "'exec' is empty; give at least the program")
            }
            return nil
        }
        guard let name = texts.plain(first.value, first.position, key: "exec") else { return nil }
        let arguments = command.dropFirst().compactMap { texts.text($0.value, $0.position, key: "exec", use) }
        switch programs.find(name) {
        case .path(let path):
            let shown = name.split(separator: "/").last.map(String.init) ?? name
            return .exec(executable: path, arguments: [Text(shown)] + arguments, timeout: timeout)
        case .missing(let words, let remedy):
            report.error(first.position, "\(words); \(remedy) or correct the name")
            return nil
        case .unfit(let words):
            report.error(first.position, words)
            return nil
        }
    }

    private func tcp(
        _ address: String, _ position: Position, _ timeout: Duration, _ texts: inout TextBuilder, _ use: TextBuilder.Use
    ) -> Probe? {
        let form = "'tcp' must be a loopback address and a port such as \"127.0.0.1:8080\""
        guard let colon = address.lastIndex(of: ":") else {
            report.error(position, "\(form), found \"\(address)\"")
            return nil
        }
        let host = String(address[..<colon])
        guard let known = Self.loopback(host) else {
            report.error(position, "\(form); nexusd connects to this machine only, found \"\(address)\"")
            return nil
        }
        let text = String(address[address.index(after: colon)...])
        guard let port = texts.text(text, position, key: "tcp", use) else { return nil }
        if let literal = port.literal, UInt16(literal) ?? 0 == 0 {
            report.error(position, "'tcp': the port must be 1 to 65535, found \"\(literal)\"")
            return nil
        }
        return .tcp(host: known, port: port, timeout: timeout)
    }
}
