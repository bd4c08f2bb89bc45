import SupervisorCore
import Wire

/// Where an upgrade is: nexusd goes on as the program that is installed now, in the same process.
struct UpgradeDesk {
    /// For what cannot be handed over (a program that is being executed, a run of nexus-config) to be over.
    static let patience: Duration = .seconds(15)

    enum Stage {
        /// The next program says whether it could go on.
        case checking(UpgradeCheck)
        /// It could; until something is done that only this program can finish.
        case waiting(version: String, until: Instant)
    }

    private(set) var stage: Stage?
    /// Nobody is let in any more: the next program answers.
    var isShut = false
    /// Hand-overs so far, in all of this process.
    var count: UInt32 = 0
    /// What came of the last one.
    var last: UpgradeOutcome?
    /// What `status` says of it.
    var note: String?

    var check: UpgradeCheck? {
        if case .checking(let check) = stage { check } else { nil }
    }

    /// The next instant at which it is given up.
    var deadline: Instant? {
        switch stage {
        case .checking(let check): check.deadline
        case .waiting(_, let until): until
        case nil: nil
        }
    }

    mutating func begin(_ check: UpgradeCheck) {
        count += 1
        stage = .checking(check)
    }

    mutating func wait(for version: String, at now: Instant) {
        stage = .waiting(version: version, until: now + Self.patience)
    }

    mutating func end() {
        stage = nil
        isShut = false
    }
}

/// One that is over.
struct UpgradeOutcome {
    /// Counted in this process, from 1.
    let number: UInt32
    /// The version that was to be replaced.
    let from: String
    /// CLOCK_REALTIME in milliseconds.
    let milliseconds: Int64
    let result: Result

    enum Result {
        /// This program is the one that took over.
        case done
        /// The program before goes on; why nothing came of it.
        case refused(String)
        /// The one that took over ended before it served; what came after it.
        case interrupted(String)

        var why: String? {
            switch self {
            case .done: nil
            case .refused(let why), .interrupted(let why): why
            }
        }

        fileprivate var word: String {
            switch self {
            case .done: "done"
            case .refused: "failed"
            case .interrupted: "interrupted"
            }
        }
    }

    func write(into json: inout JSONWriter) {
        json.object("upgrade") { json in
            json.field("number", number)
            json.field("outcome", result.word)
            json.field("from", from)
            json.field("ended_ms", milliseconds)
            json.field("why", result.why)
        }
    }
}
