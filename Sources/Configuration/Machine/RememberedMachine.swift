import Synchronization

/// A machine that is asked each question once. A thousand children mostly name the same programs, users and limits; and
/// what was answered for one of them holds for the next, so that one look at a file cannot contradict itself. For one
/// reading of Supervisor.toml: nothing that is remembered is ever asked again.
final class RememberedMachine: Machine {
    private let machine: any Machine
    private let answers = Mutex(Answers())

    /// What that one says, from now on.
    init(_ machine: any Machine) {
        self.machine = machine
        userID = machine.userID
        groupID = machine.groupID
        firstOpenPort = machine.firstOpenPort
        oomScoreAdjust = machine.oomScoreAdjust
    }

    let userID: UInt32
    let groupID: UInt32
    let firstOpenPort: UInt16
    let oomScoreAdjust: Int

    func status(_ path: String) -> FileStatus? { once(\.status, path) { machine.status(path) } }
    func readLink(_ path: String) -> String? { once(\.link, path) { machine.readLink(path) } }
    func realPath(_ path: String) -> String? { once(\.real, path) { machine.realPath(path) } }
    func user(named name: String) -> User? { once(\.userByName, name) { machine.user(named: name) } }
    func user(id: UInt32) -> User? { once(\.userByID, id) { machine.user(id: id) } }
    func group(named name: String) -> UInt32? { once(\.group, name) { machine.group(named: name) } }
    func groups(of user: User) -> [UInt32] { once(\.groups, user) { machine.groups(of: user) } }
    func softLimit(_ resource: UInt8) -> UInt64 { once(\.soft, resource) { machine.softLimit(resource) } }
    func hardLimit(_ resource: UInt8) -> UInt64 { once(\.hard, resource) { machine.hardLimit(resource) } }
    func isInMemory(_ path: String) -> Bool { once(\.inMemory, path) { machine.isInMemory(path) } }

    // Cheap, rare, or different each time.
    func lock(of path: String) -> FileLock { machine.lock(of: path) }
    func may(_ right: Right) -> Bool { machine.may(right) }
    func has(capability: UInt8) -> Bool { machine.has(capability: capability) }
    var userNames: [String] { machine.userNames }
    var groupNames: [String] { machine.groupNames }
    func variable(_ name: String) -> String? { machine.variable(name) }
    func parse(inet6 text: String) -> [UInt8]? { machine.parse(inet6: text) }
    func read(_ path: String, limit: Int) throws(MachineError) -> (FileStatus, [UInt8]) {
        try machine.read(path, limit: limit)
    }
    var now: Int64 { machine.now }
    func offset(at second: Int64) -> Int64 { machine.offset(at: second) }

    private struct Answers {
        var status: [String: FileStatus?] = [:]
        var link: [String: String?] = [:]
        var real: [String: String?] = [:]
        var userByName: [String: User?] = [:]
        var userByID: [UInt32: User?] = [:]
        var group: [String: UInt32?] = [:]
        var groups: [User: [UInt32]] = [:]
        var soft: [UInt8: UInt64] = [:]
        var hard: [UInt8: UInt64] = [:]
        var inMemory: [String: Bool] = [:]
    }

    private func once<Question: Hashable, Answer: Sendable>(
        _ kind: WritableKeyPath<Answers, [Question: Answer]>, _ question: Question, _ ask: () -> Answer
    ) -> Answer {
        answers.withLock { answers in
            if let known = answers[keyPath: kind][question] { return known }
            let answer = ask()
            answers[keyPath: kind][question] = answer
            return answer
        }
    }
}
