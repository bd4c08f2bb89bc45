import Plan
import SupervisorCore
import System
import Wire

/// Everything with which a nexusd goes on as another program: written right before its execve(2), in memory that nobody can
/// change, and read by the program that takes over, or, where that one refuses it, by the one before once more. Descriptors
/// are in it by their numbers, which an exec leaves as they are.
struct Handover {
    /// Raised by any change of what is written here. A program that raises one of `versions` goes on reading the one before; of
    /// this one there is none: 1 was never released.
    static let encodingVersion: UInt16 = 2
    static let magic: UInt64 = 0x4E58_4841_4E44_4F56
    /// The most that is handed over: a state and a plan as large as they may be, and what waits on the bus.
    static let limit = 192 << 20

    /// The version of the program that wrote it.
    var from = NexusVersion.current
    var head: HandoverHead
    var journal = JournalMemory()
    /// What is missing in log files, and why.
    var unfiled = UnfiledLines()
    /// Encoded.
    var plan: [UInt8]
    /// As in `StateImage`.
    var state: [[UInt8]]
    /// By `ChildID.rawValue - 1`.
    var cells: [HandoverCell]
    /// As `Router.encoded` has it.
    var router: [UInt8]
    var descriptors: HandoverDescriptors
    /// What systemd keeps for a nexusd that is killed; nil without a store.
    var stored: KeeperBook?

    /// Why a hand-over cannot be read, in words that go on a sentence.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
        init(_ words: String) { description = words }
    }

    private static var versions: [UInt16] {
        [encodingVersion, SupervisorState.encodingVersion, ShellHead.encodingVersion, Router.encodingVersion]
            // What is spoken with those who stay on their programs: log-writer and the workers.
            + [LogLink.version, UInt16(FrameHeader.version)]
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(from)
        head.write(to: &writer)
        journal.write(to: &writer)
        unfiled.write(to: &writer)
        writer.write(bytes: plan)
        writer.write(state) { $0.write(bytes: $1) }
        writer.write(cells) { $1.write(to: &$0) }
        writer.write(bytes: router)
        descriptors.write(to: &writer)
        writer.write(stored) { $1.write(to: &$0) }
        var whole = ByteWriter()
        whole.write(Self.magic)
        for version in Self.versions { whole.write(version) }
        whole.write(StateMemory.checksum(writer.bytes))
        whole.write(bytes: writer.bytes)
        return whole.bytes
    }

    init(encoded bytes: [UInt8]) throws(Refusal) {
        let read = Result { () throws(ByteError) in try Self.read(cover: bytes) }
        guard case .success(let (content, refusal)) = read else { throw Refusal("it is no hand-over") }
        if let refusal { throw Refusal(refusal) }
        do throws(ByteError) { self = try Self.read(content) } catch {
            throw Refusal("it cannot be read: \(error.problem) at byte \(error.offset)")
        }
    }

    /// What is inside, or why that is not looked at.
    private static func read(cover bytes: [UInt8]) throws(ByteError) -> (content: [UInt8], refusal: String?) {
        var whole = ByteReader(bytes)
        guard try whole.read() == Self.magic else { return ([], "it is no hand-over") }
        var found: [UInt16] = []
        for _ in Self.versions { found.append(try whole.read()) }
        guard found == Self.versions else {
            return ([], "it has the versions \(found), and this program reads \(Self.versions)")
        }
        let sum = try whole.read(UInt64.self)
        let content = try whole.readBytes()
        try whole.finish()
        return (content, StateMemory.checksum(content) == sum ? nil : "its checksum is wrong")
    }

    private static func read(_ content: [UInt8]) throws(ByteError) -> Handover {
        var reader = ByteReader(content)
        let from = try reader.readString()
        var handover = Handover(
            head: try HandoverHead(from: &reader), journal: try JournalMemory(from: &reader),
            unfiled: try UnfiledLines(from: &reader), plan: try reader.readBytes(),
            state: try reader.readList { reader throws(ByteError) in try reader.readBytes() },
            cells: try reader.readList { reader throws(ByteError) in try HandoverCell(from: &reader) },
            router: try reader.readBytes(), descriptors: try HandoverDescriptors(from: &reader),
            stored: try reader.readOptional { reader throws(ByteError) in try KeeperBook(from: &reader) })
        handover.from = from
        try reader.finish()
        return handover
    }

    init(
        head: HandoverHead, journal: JournalMemory, unfiled: UnfiledLines, plan: [UInt8], state: [[UInt8]],
        cells: [HandoverCell], router: [UInt8], descriptors: HandoverDescriptors, stored: KeeperBook?
    ) {
        self.head = head
        self.journal = journal
        self.unfiled = unfiled
        self.plan = plan
        self.state = state
        self.cells = cells
        self.router = router
        self.descriptors = descriptors
        self.stored = stored
    }
}

/// What of it is of nexusd as a whole.
struct HandoverHead {
    /// Where nexusd is installed, whatever file it was executed from.
    var program: String
    /// The command line, with the program's name.
    var arguments: [String]
    var life: String
    /// The cgroup below which runs have theirs; nil: they have none, for the reason beside it.
    var cgroup: String?
    var cgroupNote: String
    /// The limit that nexusd was started with, which children get.
    var openFiles: ResourceLimit
    /// The tree counted as running.
    var hasStarted: Bool
    /// An earlier nexusd has left what could not be ended: its life is to be remembered.
    var hasLeftovers: Bool
    /// Of `status`.
    var notes: [String]
    var unrecorded: String?
    var refusedReload: String?
    /// Hand-overs in this process so far, this one among them.
    var count: UInt32
    /// Owners' wishes that a child be recycled when it is idle.
    var wishes: [RecycleWishes.Wish]

    func write(to writer: inout ByteWriter) {
        writer.write(program)
        writer.write(arguments) { $0.write($1) }
        writer.write(life)
        writer.write(cgroup) { $0.write($1) }
        writer.write(cgroupNote)
        writer.write(openFiles.soft)
        writer.write(openFiles.hard)
        writer.write(hasStarted)
        writer.write(hasLeftovers)
        writer.write(notes) { $0.write($1) }
        writer.write(unrecorded) { $0.write($1) }
        writer.write(refusedReload) { $0.write($1) }
        writer.write(count)
        writer.write(wishes) { writer, wish in
            writer.write(wish.child.rawValue)
            writer.write(wish.run.rawValue)
            writer.write(wish.until.nanoseconds)
        }
    }
}

extension HandoverHead {
    init(from reader: inout ByteReader) throws(ByteError) {
        program = try reader.readString()
        arguments = try reader.readList { reader throws(ByteError) in try reader.readString() }
        life = try reader.readString()
        cgroup = try reader.readOptional { reader throws(ByteError) in try reader.readString() }
        cgroupNote = try reader.readString()
        openFiles = ResourceLimit(
            resource: ResourceLimit.openFiles, soft: try reader.read(), hard: try reader.read())
        hasStarted = try reader.readBool()
        hasLeftovers = try reader.readBool()
        notes = try reader.readList { reader throws(ByteError) in try reader.readString() }
        unrecorded = try reader.readOptional { reader throws(ByteError) in try reader.readString() }
        refusedReload = try reader.readOptional { reader throws(ByteError) in try reader.readString() }
        count = try reader.read()
        wishes = try reader.readList { reader throws(ByteError) in
            let child = ChildID(rawValue: try reader.read())
            let run = RunID(rawValue: try reader.read())
            let until = Instant(nanoseconds: try reader.read())
            return RecycleWishes.Wish(child: child, run: run, until: until, next: until)
        }
    }
}

/// nexusd's own words that no log-writer has taken yet.
struct JournalMemory {
    var events: [[UInt8]] = []
    var lost: UInt64 = 0

    init() {}

    func write(to writer: inout ByteWriter) {
        writer.write(events) { $0.write(bytes: $1) }
        writer.write(lost)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        events = try reader.readList { reader throws(ByteError) in try reader.readBytes() }
        lost = try reader.read()
    }
}

extension Handover {
    /// The lock of the runtime directory, by a descriptor of its own: the number may have to go on to another program.
    func lock(_ kernel: any Kernel) throws(InstanceLock.Refusal) -> InstanceLock {
        do throws(Errno) {
            return InstanceLock(kernel, taking: try kernel.duplicate(lent: descriptors.lock))
        } catch {
            throw .failed(error)
        }
    }

    /// The same of the state directory; nil where the program before had none.
    func stateLock(_ kernel: any Kernel) throws(InstanceLock.Refusal) -> InstanceLock? {
        guard descriptors.stateLock >= 0 else { return nil }
        do throws(Errno) {
            return InstanceLock(kernel, taking: try kernel.duplicate(lent: descriptors.stateLock))
        } catch {
            throw .failed(error)
        }
    }

    /// The control socket, on which this process listens already.
    func listener(_ kernel: any Kernel, path: String) throws(Errno) -> ControlListener {
        ControlListener(
            path: path, taking: try kernel.duplicate(lent: descriptors.listener),
            refusesDescriptors: descriptors.refusesDescriptors)
    }

    /// Numbers of which this program has duplicates, or no use.
    var spent: [Int32] {
        [descriptors.lock, descriptors.stateLock, descriptors.listener, stored?.memory ?? -1].filter { $0 >= 0 }
    }

    /// All numbers, once.
    var numbers: Set<Int32> {
        Set(descriptors.all + cells.flatMap(\.descriptors) + [stored?.memory ?? -1].filter { $0 >= 0 })
    }
}
