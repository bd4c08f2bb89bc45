import SupervisorCore

extension Action {
    /// `spawn a`, `TERM main a`, `say ended a crash`: the action without run ids and instants.
    var words: String {
        switch self {
        case .spawn(let child, _): "spawn \(child.letter)"
        case .drain(let child, _): "drain \(child.letter)"
        case .signal(let child, _, let signal, let scope): "\(signal.word) \(scope) \(child.letter)"
        case .probe(let child, _): "probe \(child.letter)"
        case .record(let record): "say \(record.words)"
        case .answer(let id, let outcome): "answer \(id.rawValue) \(outcome.words)"
        case .end(let child, _): "end because of \(child.letter)"
        case .finished(let clean): clean ? "finished" : "finished unclean"
        }
    }
}

extension Record {
    var words: String {
        switch self {
        case .starting(let child, _): "starting \(child.letter)"
        case .ready(let child, _): "ready \(child.letter)"
        case .stopping(let child, _, let cause): "stopping \(child.letter) \(cause.rawValue)"
        case .killing(let child, _): "killing \(child.letter)"
        case .ended(let end): "ended \(end.child.letter) \(end.cause.rawValue)"
        case .delayed(let child, _, let cause): "delayed \(child.letter) \(cause.rawValue)"
        case .parked(let child, let cause, let sequel): "parked \(child.letter) \(cause.rawValue)\(sequel.words)"
        case .groupParked(let group, let child, let sequel):
            "group \(group.rawValue) parked by \(child.letter)\(sequel.words)"
        case .skipped(let child, let times): "skipped \(child.letter) \(times)"
        case .unkillable(let child, _): "unkillable \(child.letter)"
        }
    }
}

extension Sequel {
    fileprivate var words: String {
        switch self {
        case .retry, .command: ""
        case .endOfTree: ", the tree ends"
        }
    }
}

extension CommandOutcome {
    var words: String {
        switch self {
        case .done: "done"
        case .unchanged: "unchanged"
        case .overtaken: "overtaken"
        case .failed(let child, let cause): "failed \(child.letter) \(cause.rawValue)"
        }
    }
}

extension ChildID {
    /// a for the first child; its number from the 27th on.
    var letter: String {
        (1...26).contains(rawValue) ? String(UnicodeScalar(UInt8(96 + rawValue))) : String(rawValue)
    }
}

extension Signal {
    var word: String {
        switch self {
        case .terminate: "TERM"
        case .kill: "KILL"
        case let other: "signal \(other.rawValue)"
        }
    }
}
