import SupervisorCore
import System

/// A descriptor in a list, to be taken out once.
final class KeptDescriptor {
    private var fd: OwnedFD?
    private var lent: Int32?

    init(_ fd: consuming OwnedFD) { self.fd = consume fd }

    /// One that stays open when nobody takes it: it may have to go on to another program.
    init(lent raw: Int32) { lent = raw }

    func take() -> OwnedFD? { lent.take().map { OwnedFD(owning: $0) } ?? fd.take() }
}

/// What came back from the store: the descriptors from 3 on that $LISTEN_FDS counts, sorted by name. What nobody takes
/// closes itself with this.
final class Inheritance {
    /// A run of an earlier nexusd.
    struct Run {
        let name: StoredName
        let child: ChildID
        let id: RunID
        /// Nil where the kernel does not say that one of the descriptors is one.
        let pidfd: KeptDescriptor?
        /// As fdinfo says it; -1 when it has ended and was reaped, nil where it is not said.
        let process: ProcessID?
        /// By their places in the name.
        let others: [KeptDescriptor?]
        /// How many are in the store.
        let count: Int
    }

    private(set) var state: KeptDescriptor?
    private(set) var plans: [UInt32: KeptDescriptor] = [:]
    private(set) var runs: [Run] = []
    /// By inode.
    private(set) var sockets: [UInt64: KeptDescriptor] = [:]
    /// Every name, with how many there are of it.
    private(set) var names: [String: Int] = [:]
    /// Names that mean nothing to us.
    private(set) var unknown: [String] = []
    private(set) var count = 0

    /// The highest number that is believed.
    private static let limit = 1 << 20

    /// Nil when nothing came back.
    init?(_ kernel: any Kernel, variable: (String) -> String?) {
        guard let count = variable("LISTEN_FDS").flatMap({ Int32($0) }), (1...Int32(Self.limit)).contains(count),
            variable("LISTEN_PID").flatMap({ Int32($0) }) == kernel.processID().rawValue
        else { return nil }
        let names = (variable("LISTEN_FDNAMES") ?? "").split(separator: ":", omittingEmptySubsequences: false)
        var byName: [String: [KeptDescriptor]] = [:]
        var facts: [ObjectIdentifier: Fact] = [:]
        var order: [String] = []
        for place in 0..<count {
            let raw = 3 + place
            let fd = OwnedFD(owning: raw)
            guard (try? kernel.closeOnExec(fd)) != nil else {
                _ = fd.release()  // there is none
                continue
            }
            self.count += 1
            let name = Int(place) < names.count ? String(names[Int(place)]) : "unknown"
            let fact = Fact(kernel, fd)
            let kept = KeptDescriptor(fd)
            facts[ObjectIdentifier(kept)] = fact
            if byName[name] == nil { order.append(name) }
            byName[name, default: []].append(kept)
        }
        for name in order { sort(name, byName[name] ?? [], facts) }
    }

    /// What an exec has left open, by the numbers that were written down before it.
    init(_ handed: HandoverDescriptors) {
        func kept(_ raw: Int32) -> KeptDescriptor? { raw < 0 ? nil : KeptDescriptor(lent: raw) }
        runs = handed.runs.map { run in
            Run(
                name: .run(run.child, run.run, inodes: run.others.map { _ in 0 }), child: run.child, id: run.run,
                pidfd: kept(run.pidfd), process: ProcessID(rawValue: run.process), others: run.others.map(kept),
                count: 0)
        }
        for socket in handed.sockets { sockets[socket.inode] = kept(socket.descriptor) }
    }

    /// What a descriptor is.
    private struct Fact {
        let inode: UInt64
        /// Of a pidfd.
        let process: ProcessID?

        init(_ kernel: any Kernel, _ fd: borrowing OwnedFD) {
            inode = (try? kernel.status(fd))?.inode ?? 0
            let lines = (try? kernel.readFile("/proc/self/fdinfo/\(fd.raw)", limit: 4096)) ?? []
            process = String(decoding: lines, as: UTF8.self).split(separator: "\n").lazy
                .first { $0.hasPrefix("Pid:") }
                .flatMap { Int32($0.dropFirst(4).drop { $0 == "\t" || $0 == " " }) }
                .map { ProcessID(rawValue: $0) }
        }
    }

    private func sort(_ text: String, _ descriptors: [KeptDescriptor], _ facts: [ObjectIdentifier: Fact]) {
        func fact(_ kept: KeptDescriptor) -> Fact? { facts[ObjectIdentifier(kept)] }
        names[text] = descriptors.count
        switch StoredName(text) {
        case .state where state == nil: state = descriptors.last
        case .plan(let number): plans[number] = descriptors.last
        case .run(let child, let run, let inodes):
            let pidfd = descriptors.first { fact($0)?.process != nil }
            let others = inodes.map { inode in
                inode == 0 ? nil : descriptors.first { fact($0)?.inode == inode && fact($0)?.process == nil }
            }
            runs.append(
                Run(
                    name: .run(child, run, inodes: inodes), child: child, id: run, pidfd: pidfd,
                    process: pidfd.flatMap { fact($0)?.process }, others: others, count: descriptors.count))
        case .socket(let inode): sockets[inode] = descriptors.first { fact($0)?.inode == inode }
        case .state, nil: unknown.append(text)
        }
    }
}
