import SupervisorCore
import System
import Wire

/// Descriptors that go over, by number; -1 where there is none.
struct HandoverDescriptors {
    var lock: Int32
    var stateLock: Int32 = -1
    var listener: Int32
    var refusesDescriptors: Bool
    /// Runs that are not over, and such of which not all output is read.
    var runs: [Run] = []
    var sockets: [Socket] = []

    /// By the places that `StoredName.run` has.
    struct Run {
        var child: ChildID
        var run: RunID
        /// 0 for one that is over.
        var process: Int32 = 0
        var pidfd: Int32 = -1
        var others: [Int32]
    }

    struct Socket {
        var inode: UInt64
        var descriptor: Int32
    }

    init(lock: Int32, listener: Int32, refusesDescriptors: Bool) {
        self.lock = lock
        self.listener = listener
        self.refusesDescriptors = refusesDescriptors
    }

    /// Every number, once.
    var all: [Int32] {
        ([lock, stateLock, listener] + runs.flatMap { [$0.pidfd] + $0.others } + sockets.map(\.descriptor))
            .filter { $0 >= 0 }
    }

    func write(to writer: inout ByteWriter) {
        writer.write(lock)
        writer.write(stateLock)
        writer.write(listener)
        writer.write(refusesDescriptors)
        writer.write(runs) { writer, run in
            writer.write(run.child.rawValue)
            writer.write(run.run.rawValue)
            writer.write(run.process)
            writer.write(run.pidfd)
            writer.write(run.others) { $0.write($1) }
        }
        writer.write(sockets) { writer, socket in
            writer.write(socket.inode)
            writer.write(socket.descriptor)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        lock = try reader.read()
        stateLock = try reader.read()
        listener = try reader.read()
        refusesDescriptors = try reader.readBool()
        runs = try reader.readList { reader throws(ByteError) in
            Run(
                child: ChildID(rawValue: try reader.read()), run: RunID(rawValue: try reader.read()),
                process: try reader.read(), pidfd: try reader.read(),
                others: try reader.readList { reader throws(ByteError) in try reader.read() })
        }
        sockets = try reader.readList { reader throws(ByteError) in
            Socket(inode: try reader.read(), descriptor: try reader.read())
        }
    }
}

/// What systemd's store has of this nexusd, for the one that goes on with it.
struct KeeperBook {
    /// The state, which the store has unless this says otherwise.
    var memory: Int32
    var isMemoryKept: Bool
    /// nil: the store has no plan.
    var plan: UInt32?
    /// The plan in force is not in the store yet.
    var owesPlan: Bool
    var runs: [Entry]
    var sockets: [UInt64]
    /// Names that are to go.
    var leaving: [Entry]

    /// A name, and how many descriptors have it.
    struct Entry {
        var name: String
        var count: UInt32
    }

    /// Descriptors that are in the store, as far as we know.
    var count: Int {
        (isMemoryKept ? 1 : 0) + (plan == nil ? 0 : 1) + sockets.count
            + (runs + leaving).reduce(0) { $0 + Int($1.count) }
    }

    /// The memory, as a descriptor of its own: the number in the book may have to go on to another program.
    func duplicate(_ kernel: any Kernel) throws(Errno) -> OwnedFD { try kernel.duplicate(lent: memory) }

    func write(to writer: inout ByteWriter) {
        writer.write(memory)
        writer.write(isMemoryKept)
        writer.write(plan) { $0.write($1) }
        writer.write(owesPlan)
        for list in [runs, leaving] {
            writer.write(list) { writer, entry in
                writer.write(entry.name)
                writer.write(entry.count)
            }
        }
        writer.write(sockets) { $0.write($1) }
    }
}

extension KeeperBook {
    init(from reader: inout ByteReader) throws(ByteError) {
        memory = try reader.read()
        isMemoryKept = try reader.readBool()
        plan = try reader.readOptional { reader throws(ByteError) in try reader.read() }
        owesPlan = try reader.readBool()
        runs = try reader.readList { reader throws(ByteError) in
            Entry(name: try reader.readString(), count: try reader.read())
        }
        leaving = try reader.readList { reader throws(ByteError) in
            Entry(name: try reader.readString(), count: try reader.read())
        }
        sockets = try reader.readList { reader throws(ByteError) in try reader.read() }
    }
}

extension Kernel {
    /// A duplicate of a descriptor that is somebody else's by its number.
    func duplicate(lent raw: Int32) throws(Errno) -> OwnedFD {
        let lent = OwnedFD(owning: raw)
        let copy = Result { () throws(Errno) in try duplicate(lent).release() }
        _ = lent.release()
        return OwnedFD(owning: try copy.get())
    }
}
