import SupervisorCore

/// The rules that every part of nexusd relies on when it uses a plan without looking twice. nexus-config explains
/// mistakes of a person with their place in the file; this only refuses what no nexus-config would have written.
extension Plan {
    /// Children in a plan; their numbers are peers of the bus, where 0x8000 begins the control clients.
    public static let childLimit = 0x7FFF

    /// Throws `PlanError.invalid` unless every id is in range, groups and children agree, names are unique and
    /// numbers lie in the kernel's ranges.
    public func validate() throws(PlanError) {
        guard children.count <= Plan.childLimit else { throw .invalid("more than \(Plan.childLimit) children") }
        guard groups.count <= Plan.childLimit, secrets.count <= Plan.childLimit else {
            throw .invalid("more than \(Plan.childLimit) groups or secrets")
        }
        guard Set(children.map(\.name)).count == children.count, Set(groups.map(\.name)).count == groups.count else {
            throw .invalid("a name is given twice")
        }
        for (index, child) in children.enumerated() {
            guard child.role != .logWriter || index == 0 else { throw .invalid("log-writer is not the first child") }
            guard child.role != .prober || child.worker != nil && prober?.rawValue == UInt16(index + 1) else {
                throw .invalid("nexus-probe is no worker, or there are two")
            }
            do {
                try checkPolicy(of: child)
                try checkNumbers(of: child)
                try checkReferences(of: child)
            } catch {
                throw .invalid("child '\(child.name)': \(error.what)")
            }
        }
        try checkGroups()
    }

    private struct Broken: Error {
        let what: String
        init(_ what: String) { self.what = what }
    }

    private func has(_ child: ChildID) -> Bool { (1...children.count).contains(Int(child.rawValue)) }

    private func checkGroups() throws(PlanError) {
        var members = Set<ChildID>()
        for (index, group) in groups.enumerated() {
            guard isFileName(group.name) else { throw .invalid("a group's name is no file name") }
            for child in group.policy.children {
                guard has(child), members.insert(child).inserted,
                    self[child].policy.group == GroupID(rawValue: UInt16(index))
                else { throw .invalid("group '\(group.name)' and its children do not agree") }
            }
        }
        for (index, child) in children.enumerated() where child.policy.group != nil {
            guard members.contains(ChildID(rawValue: UInt16(index + 1))) else {
                throw .invalid("child '\(child.name)' is not listed by its group")
            }
        }
    }

    private func checkPolicy(of child: ChildPlan) throws(Broken) {
        let policy = child.policy
        if let group = policy.group, group.rawValue >= groups.count { throw Broken("unknown group") }
        for other in policy.requires + policy.after where !has(other) { throw Broken("requires an unknown child") }
        guard (1...64).contains(policy.stop.signal.rawValue) else { throw Broken("signal out of range") }
        if let liveness = policy.liveness {
            guard liveness.interval > .zero, liveness.misses > 0 else { throw Broken("liveness of zero") }
        }
        if case .probed(let interval) = policy.ready, interval <= .zero { throw Broken("probe interval of zero") }
        let isCalendar = policy.schedule == .calendar
        guard isCalendar != child.calendar.isEmpty, child.calendar.count <= ChildPlan.calendarLimit,
            zip(child.calendar, child.calendar.dropFirst()).allSatisfy({ $0 < $1 })
        else { throw Broken("a calendar without times, or times without a calendar") }
        if case .every(let interval) = policy.schedule, interval <= .zero { throw Broken("schedule of zero") }
        if let watchdog = policy.watchdog, watchdog <= .zero { throw Broken("watchdog of zero") }
        let agree =
            switch (child.readiness, policy.ready) {
            case (.spawned, .spawned), (.probe, .probed): true
            case (.notify, .reported), (.descriptor, .reported), (.bus, .reported): true
            case (.logLine, .reported), (.health, .reported), (.done, .reported): true
            case (.spawned, _), (.probe, _), (.notify, _), (.descriptor, _), (.bus, _), (.logLine, _), (.health, _),
                (.done, _):
                false
            }
        // log-writer says it is ready over the log link, which no readiness of other children describes.
        guard agree || child.role == .logWriter else { throw Broken("readiness and its rule do not agree") }
        guard child.readiness != .bus || child.worker != nil else { throw Broken("ready by bus, but no worker") }
    }

    private func checkNumbers(of child: ChildPlan) throws(Broken) {
        guard isFileName(child.name) else { throw Broken("its name is no file name") }
        if let pidFile = child.pidFile, !isFileName(pidFile) { throw Broken("pid-file is no file name") }
        guard child.umask <= 0o777 else { throw Broken("umask out of range") }
        guard (-20...19).contains(child.nice) else { throw Broken("nice out of range") }
        guard (-1000...1000).contains(child.oomScoreAdjust) else { throw Broken("oom_score_adj out of range") }
        guard child.directory.utf8.first == UInt8(ascii: "/") else { throw Broken("directory is not absolute") }
        guard child.executable.utf8.first == UInt8(ascii: "/") || child.executable.isEmpty else {
            throw Broken("executable is not absolute")
        }
        guard !child.executable.isEmpty || !child.policy.enabled else { throw Broken("enabled without executable") }
        guard !child.arguments.isEmpty else { throw Broken("no arguments") }
        for limit in child.limits where limit.resource > 15 || limit.soft > limit.hard {
            throw Broken("resource limit out of range")
        }
        try checkBounds(child.bounds)
        if case .descriptor(let number) = child.readiness,
            !(Int(child.firstSocket) + child.sockets.count...1023).contains(Int(number))
        {
            throw Broken("readiness descriptor out of range")
        }
        guard child.capabilities.isConsistent else { throw Broken("an ambient capability outside of the bounding set") }
        try checkSockets(of: child)
    }

    private func checkSockets(of child: ChildPlan) throws(Broken) {
        guard child.sockets.count <= SocketPlan.limit else { throw Broken("too many sockets") }
        guard child.sockets.isEmpty || child.role == .child else {
            throw Broken("sockets of log-writer, which has a link")
        }
        guard Set(child.sockets.map(\.name)).count == child.sockets.count else { throw Broken("a socket named twice") }
        for socket in child.sockets where !socket.isValid { throw Broken("socket '\(socket.name)' out of range") }
    }

    private func checkBounds(_ bounds: RunBounds) throws(Broken) {
        if bounds.memoryMax == 0 || bounds.memoryHigh == 0 || bounds.recycle?.above == 0 { throw Broken("no memory") }
        if let processes = bounds.processes, processes == 0 { throw Broken("no processes") }
        if let weight = bounds.cpuWeight, !(1...10_000).contains(weight) { throw Broken("cpu weight out of range") }
    }

    private func checkReferences(of child: ChildPlan) throws(Broken) {
        for index in child.secretFiles where index >= secrets.count { throw Broken("unknown secret file") }
        for text in child.arguments { try check(text, secrets: 0) }
        for variable in child.environment {
            guard !variable.name.isEmpty, !variable.name.utf8.contains(UInt8(ascii: "=")) else {
                throw Broken("a variable without a proper name")
            }
            try check(variable.value, secrets: secrets.count)
        }
        var probes = child.liveness.map { [$0] } ?? []
        if case .probe(let probe) = child.readiness { probes.append(probe) }
        for probe in probes {
            switch probe {
            case .tcp(_, let port, _): try check(port, secrets: 0)
            case .http(let http):
                guard http.isValid else { throw Broken("an HTTP probe out of range") }
                guard prober != nil else { throw Broken("an HTTP probe without nexus-probe") }
                try check(http.port, secrets: 0)
            case .exec(_, let arguments, _): for text in arguments { try check(text, secrets: 0) }
            }
        }
        for peer in child.worker?.peers ?? [] where !has(peer) || self[peer].worker == nil {
            throw Broken("a peer that is no worker")
        }
        for grant in child.worker?.may ?? [] { try check(grant) }
    }

    /// `secrets` is how many may be named: none in argv, which every user of the machine can read in /proc.
    private func check(_ text: Text, secrets: Int) throws(Broken) {
        for piece in text.pieces {
            switch piece {
            case .literal: continue
            case .captured(let child, _): if !has(child) { throw Broken("a value of an unknown child") }
            case .secret(let index): if index >= secrets { throw Broken("a secret that may not be here") }
            }
        }
    }

    private func check(_ grant: WorkerPlan.Grant) throws(Broken) {
        switch grant {
        case .status: return
        case .health(let child): if !has(child) { throw Broken("a grant for an unknown child") }
        case .start(let target), .stop(let target), .restart(let target):
            switch target {
            case .all: return
            case .child(let child): if !has(child) { throw Broken("a grant for an unknown child") }
            case .group(let group): if group.rawValue >= groups.count { throw Broken("a grant for an unknown group") }
            }
        }
    }
}

/// Names become file names below the runtime and state directories.
func isFileName(_ name: String) -> Bool {
    let bytes = name.utf8
    return !bytes.isEmpty && bytes.count <= 64 && name != "." && name != ".." && !bytes.contains(UInt8(ascii: "/"))
}
