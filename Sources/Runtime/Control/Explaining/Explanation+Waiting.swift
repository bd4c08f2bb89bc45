import Plan
import SupervisorCore
import Wire

extension Explanation {
    /// What a child that is waiting, starting or drains waits for; nil in every other state, and where it waits for nothing.
    var awaits: String? {
        switch view.phase {
        case .waiting: view.hold.map(holdWords)
        case .starting where executionEnd != nil: executionWords
        case .starting: hasProcess ? readyWords : "its turn to be started"
        case .stopping: view.isDraining ? "its word `drained` on the bus" : nil
        case .off, .scheduled, .delayed, .ready, .unkillable, .parked, .done: nil
        }
    }

    /// The kernel has not answered for its program yet.
    var executionWords: String {
        "its program to be executed: the kernel waits for \(plan[child].executable), or for its directory"
    }

    private func holdWords(_ hold: Hold) -> String {
        func other(_ child: ChildID) -> String { "\(names[child]), which is \(phase(child).rawValue)" }
        let group = policy.group.map { names[$0] } ?? "?"
        return switch hold {
        case .requires(let child): "\(other(child)) (`requires`)"
        case .after(let child): "\(other(child)) (`after`)"
        case .order(let child): "\(other(child)) (order of group \(group))"
        case .sweep(let child): "\(other(child)) (group \(group) restarts)"
        case .logWriter(let child): "\(other(child)), at most 5 s"
        case .output(let child): "\(names[child]) to read what its last runs said, at most 5 s"
        case .barrier(let child): "the end of \(names[child]), which listens on its address still"
        }
    }

    /// When that is over.
    func startWords(_ hold: Hold) -> String {
        switch hold {
        case .requires(let child): "it starts when \(names[child]) is ready"
        case .after(let child), .order(let child):
            "it starts when \(names[child]) is ready, done, parked or off"
        case .sweep: "it starts when what is left of its group has stopped"
        case .logWriter(let child): "it starts when \(names[child]) is ready, or after 5 s"
        case .output(let child): "it starts when \(names[child]) has read that, or after 5 s"
        case .barrier(let child): "it starts when the run of \(names[child]) that is being ended is over"
        }
    }

    /// By what it shows that it is ready; nil: by being there.
    var readyWords: String? {
        switch plan.traits(child).readiness {
        case .spawned: nil
        case .notify: "READY=1 on its notify socket"
        case .descriptor(let number): "a newline on its fd \(number)"
        case .bus: "its word `ready` on the bus"
        case .probe(let probe): words(probe)
        case .logLine(let pattern): "a line with `\(words(pattern))`"
        case .health: "a worker to call it healthy"
        case .done: "its end with success"
        }
    }

    private func words(_ probe: Probe) -> String {
        switch probe {
        case .tcp(let host, let port, _): "a connection to \(host):\(words(port))"
        case .exec(let executable, _, _): "success of its probe \(executable)"
        case .http(let http): "status \(http.statusWords) from http://\(http.host):\(words(http.port))\(http.path)"
        }
    }

    private func words(_ text: Text) -> String {
        text.pieces.map { piece in
            switch piece {
            case .literal(let literal): literal
            case .captured(let child, let name): "{\(names[child]).\(name)}"
            case .secret: "…"
            }
        }.joined()
    }

    private func words(_ pattern: LinePattern) -> String {
        pattern.pieces.map { piece in
            switch piece {
            case .literal(let text): text
            case .capture(let name): "{\(name)}"
            case .integer(let name): "{\(name):int}"
            }
        }.joined()
    }
}
