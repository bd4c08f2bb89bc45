import Plan
import SupervisorCore
import System
import Wire

/// The descriptors of one run: the ends nexusd keeps, and those the child gets. All of it closes itself when the spawn
/// fails.
struct Equipment: ~Copyable {
    /// What the child gets, by number. The sources stay open as long as this value lives.
    private(set) var mappings: [DescriptorMapping] = []
    private var childEnds: [OwnedBox] = []
    /// Read ends of stdout and stderr.
    var stdout: OwnedFD?
    var stderr: OwnedFD?
    /// Read end of the pipe by which it says that it is ready.
    var readyDescriptor: OwnedFD?
    /// The bus: what the worker writes, what it reads.
    var busInput: OwnedFD?
    var busOutput: OwnedFD?
    /// log-writer's: both ends of its link.
    var logLink: OwnedFD?
    var keptLogLink: OwnedFD?

    /// A descriptor in a list.
    private final class OwnedBox {
        let fd: OwnedFD

        init(_ fd: consuming OwnedFD) { self.fd = fd }
    }

    init() {}

    /// Fresh pipes for stdout and stderr, `fchown`ed so that the child may open /dev/stdout.
    mutating func addOutput(_ kernel: any Kernel, owner: Identity?) throws(Errno) {
        let out = try kernel.makePipe(blocking: .write)
        let err = try kernel.makePipe(blocking: .write)
        if let owner, owner.uid != kernel.userID() {
            try kernel.changeOwner(out.write, user: owner.uid, group: owner.gid)
            try kernel.changeOwner(err.write, user: owner.uid, group: owner.gid)
        }
        stdout = consume out.read
        stderr = consume err.read
        give(out.write, as: 1)
        give(err.write, as: 2)
    }

    /// log-writer's own: its link, and a pipe for what it has to say about itself.
    mutating func addLogLink(_ kernel: any Kernel) throws(Errno) {
        let pair = try kernel.makeSocketPair(.seqpacket, blocking: .second)
        let errors = try kernel.makePipe(blocking: .write)
        try? kernel.refuseDescriptors(pair.first)  // log-writer has none to send
        keptLogLink = try kernel.duplicate(pair.second)
        logLink = consume pair.first
        stderr = consume errors.read
        give(pair.second, as: 3)
        give(errors.write, as: 2)
    }

    /// The child has its own of them: the last one to hold them is to be the child.
    mutating func closeChildEnds() {
        mappings = []
        childEnds = []
    }

    /// The pipe whose newline says ready.
    mutating func addReadiness(_ kernel: any Kernel, number: Int32) throws(Errno) {
        let pipe = try kernel.makePipe(blocking: .write)
        readyDescriptor = consume pipe.read
        give(pipe.write, as: number)
    }

    /// The worker reads 3 and writes 4.
    mutating func addBus(_ kernel: any Kernel) throws(Errno) {
        let down = try kernel.makePipe(blocking: .read)
        let up = try kernel.makePipe(blocking: .write)
        busOutput = consume down.write
        busInput = consume up.read
        give(down.read, as: 3)
        give(up.write, as: 4)
    }

    /// Descriptors that stay ours, in a row from that number on (sd_listen_fds(3)).
    mutating func lend(_ descriptors: [Int32], from first: Int32) {
        for (index, raw) in descriptors.enumerated() {
            mappings.append(DescriptorMapping(source: raw, target: first + Int32(index)))
        }
    }

    private mutating func give(_ fd: consuming OwnedFD, as target: Int32) {
        mappings.append(DescriptorMapping(source: fd.raw, target: target))
        childEnds.append(OwnedBox(fd))
    }
}
