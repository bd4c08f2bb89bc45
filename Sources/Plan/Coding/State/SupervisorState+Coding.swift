import SupervisorCore
import Wire

/// The state in parts, so that a shell that keeps it encodes only what is different. Whoever keeps the parts keeps the
/// version with them: a state is for the program that wrote it, or one that knows how that did.
extension SupervisorState {
    /// Raised by any change of a field.
    public static let encodingVersion: UInt16 = 1

    /// All of it, one part after the other; the inverse of `init(encoded:)`.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        tree.write(to: &writer)
        writer.write(children)
        return writer.bytes
    }

    /// Total: any bytes give a state or an error. Whether it is one of this tree the core judges.
    public init(encoded bytes: [UInt8]) throws(ByteError) {
        var reader = ByteReader(bytes)
        self.init(tree: try TreeMemory(from: &reader), children: try reader.readList())
        try reader.finish()
    }
}

extension TreeMemory: Coded {
    /// Appends it.
    package func write(to writer: inout ByteWriter) {
        switch life {
        case .idle: writer.write(UInt8(0))
        case .awaitingLogWriter: writer.write(UInt8(1))
        case .running: writer.write(UInt8(2))
        case .ending(let level):
            writer.write(UInt8(3))
            writer.write(level)
        case .finished: writer.write(UInt8(4))
        }
        writer.write(patience)
        writer.write(leavesRest)
        writer.write(farewells)
        writer.write(runCount)
        writer.write(choices) { writer, entry in
            entry.child.write(to: &writer)
            writer.write(entry.choice.rawValue)
        }
        writer.write(groups)
    }

    /// Reads it.
    package init(from reader: inout ByteReader) throws(ByteError) {
        let life: Supervisor.Life
        switch try reader.read(UInt8.self) {
        case 0: life = .idle
        case 1: life = .awaitingLogWriter
        case 2: life = .running
        case 3: life = .ending(level: try reader.read())
        case 4: life = .finished
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
        self.init(
            life: life, patience: try reader.readOptionalInstant(), leavesRest: try reader.readBool(),
            farewells: try reader.read(), runCount: try reader.read(),
            choices: try reader.readList { reader throws(ByteError) in
                ChildChoice(child: try ChildID(from: &reader), choice: try reader.readCase())
            }, groups: try reader.readList())
    }
}

extension GroupMemory: Coded {
    func write(to writer: inout ByteWriter) {
        switch state {
        case .running: writer.write(false)
        case .parked(let because, let retry):
            writer.write(true)
            because.write(to: &writer)
            writer.write(retry)
        }
        writer.write(restarts) { $0.write($1.nanoseconds) }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        let isParked = try reader.readBool()
        let state: Group.State =
            isParked
            ? .parked(because: try ChildID(from: &reader), retry: try reader.readOptionalInstant()) : .running
        self.init(state: state, restarts: try reader.readInstants())
    }
}

extension ChildMemory: Coded {
    /// Appends it.
    package func write(to writer: inout ByteWriter) {
        state.write(to: &writer)
        writer.write(since.nanoseconds)
        writer.write(wanted)
        writer.write(isBouncing)
        writer.write(isSwept)
        writer.write(isCrowded)
        tally.write(to: &writer)
        writer.write(restarts) { $0.write($1.nanoseconds) }
        writer.write(lastEnd)
        writer.write(oldStop)
        writer.write(timetable)
    }

    /// Reads it.
    package init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            state: try ChildState(from: &reader), since: try reader.readInstant(), wanted: try reader.readBool(),
            isBouncing: try reader.readBool(), isSwept: try reader.readBool(), isCrowded: try reader.readBool(),
            tally: try Tally(from: &reader), restarts: try reader.readInstants(), lastEnd: try reader.readOptional(),
            oldStop: try reader.readOptional(), timetable: try reader.readOptional())
    }
}

extension Tally: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(unstable)
        writer.write(network)
        writer.write(ended)
        writer.write(restarts)
        writer.write(owesRestart)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init()
        unstable = try reader.read()
        network = try reader.read()
        ended = try reader.read()
        restarts = try reader.read()
        owesRestart = try reader.readBool()
    }
}

extension TimetableMemory: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(next)
        writer.write(skipped)
        writer.write(lastSecond)
        writer.write(lastStart)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            next: try reader.readOptionalInstant(), skipped: try reader.read(), lastSecond: try reader.read(),
            lastStart: try reader.readOptionalInstant())
    }
}
