import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

/// What is kept for the next nexusd, piece by piece: names, bytes, slots, messages.
@Suite struct StateMemoryTests {
    private let kernel = LiveKernel()

    private func content() throws -> (image: StateImage, core: Supervisor, head: ShellHead, cells: [ShellCell]) {
        let tree = Tree(
            children: [ChildPolicy(), ChildPolicy(ready: .reported, watchdog: .seconds(5))],
            groups: [GroupPolicy(children: [ChildID(rawValue: 1)])])
        var core = Supervisor(tree: tree, second: 9, at: Instant(nanoseconds: 1))
        var actions: [Action] = []
        core.start(at: Instant(nanoseconds: 1), jitter: 0, into: &actions)
        let head = ShellHead(
            life: String(repeating: "a", count: 32), plan: 3,
            arrangement: Arrangement(children: [ChildID(rawValue: 2)], groups: [GroupID(rawValue: 0)]),
            runsLastGood: true, generated: [0: "sesame", 7: ""])
        var cell = ShellCell()
        cell.process = 4711
        cell.status = "well"
        cell.captures = [LogReport.Capture(name: "port", value: "8080")]
        cell.secrets = [ShellCell.Value(name: "token", value: "sesame")]
        cell.redactions = [ShellCell.Redaction(run: RunID(rawValue: 5), values: ["sesame"])]
        cell.hasCredentials = true
        cell.sockets = [0, 77]
        cell.choice = .off
        let cells = [ShellCell(), cell]
        var image = StateImage()
        image.setHead(core.treeMemory, head)
        for (index, cell) in cells.enumerated() {
            let child = ChildID(rawValue: UInt16(index + 1))
            image.set(child, core.memory(of: child), cell)
        }
        return (image, core, head, cells)
    }

    private func bytes(_ image: inout StateImage) -> [UInt8] {
        var all: [UInt8] = []
        image.withBytes { all = Array($0[StateMemory.headingBytes...]) }
        return all
    }

    @Test func everyName_comesBack_andNothingElseIsOne() {
        let run = RunID(second: 0x6743_f2a1, count: 17)
        let names: [StoredName] = [
            .state, .plan(0), .plan(.max), .socket(inode: 12), .run(ChildID(rawValue: 7), run, inodes: [1, 0, .max]),
        ]
        for name in names {
            #expect(StoredName(name.text) == name)
            #expect(
                name.text.utf8.count <= 255 && name.text.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != 0x3A })
            for count in 0..<name.text.count {
                let cut = name.text.prefix(count)
                #expect(StoredName(cut).map { $0.text == cut } ?? true)
            }
        }
        for text in [
            "", "nexus", "nexus-", "nexus-state-", "nexus-plan-", "nexus-plan-4294967296", "nexus-plan-01",
            "nexus-plan-+1", "nexus-run-7-1-2-3", "nexus-run-70000-1-2-3-4", "nexus-run-7-1-2-3-4-5", "stored",
            "nexus-socket-x",
        ] {
            #expect(StoredName(text) == nil, "\(text)")
        }
    }

    @Test func theState_isReadAsItWasWritten_andNoPieceOfItIs() throws {
        let parts = try content()
        var image = parts.image
        let all = bytes(&image)
        let read = try StateImage.Content(all)
        #expect(read.state == parts.core.state)
        #expect(read.head == parts.head)
        #expect(read.cells == parts.cells)
        for count in all.indices {
            #expect(throws: ByteError.self) { try StateImage.Content(Array(all[..<count])) }
        }
        #expect(throws: ByteError.self) { try StateImage.Content(all + [0]) }
        for index in all.indices {
            for byte in [0, 1, 255] as [UInt8] {
                var damaged = all
                damaged[index] = byte
                _ = try? StateImage.Content(damaged)
            }
        }
    }

    @Test func ofTwoSlots_theNewestThatIsWholeIsRead() throws {
        let memory = try StateMemory(kernel)
        var image = try content().image
        var written: [[UInt8]] = []
        for round in 0..<3 {
            var cell = ShellCell()
            cell.status = "round \(round)"
            image.set(ChildID(rawValue: 1), try StateImage.Content(bytes(&image)).state.children[0], cell)
            written.append(bytes(&image))
            try image.withBytes { all throws(Errno) in try memory.write(&all) }
        }
        func reread() throws -> StateMemory { StateMemory(kernel, taking: try kernel.duplicate(memory.fd)) }
        #expect(try reread().newest() == written[2])
        // One that was killed while it wrote the next.
        let slots: [Int64] = [4096, 1 << 30]
        for (place, expected) in [(slots[1], written[1]), (slots[0], nil)] {
            try [UInt8(0xA5)].withUnsafeBytes { _ = try kernel.write(memory.fd, $0, at: place + 60) }
            #expect(try reread().newest() == expected)
        }
    }

    @Test func theCountOfRestores_isKept_andADamagedOneIsNone() throws {
        let memory = try StateMemory(kernel)
        func reread() throws -> UInt32 {
            StateMemory(kernel, taking: try kernel.duplicate(memory.fd)).restores
        }
        #expect(try reread() == 0)
        try memory.setRestores(2)
        #expect(try reread() == 2)
        try [UInt8(9)].withUnsafeBytes { _ = try kernel.write(memory.fd, $0, at: 3) }
        #expect(try reread() == 0)
    }

    @Test func aMemoryThatCannotBeWritten_keepsWhatItHad() throws {
        let faulty = FaultyKernel()
        let memory = try StateMemory(faulty)
        var image = try content().image
        let all = bytes(&image)
        try image.withBytes { bytes throws(Errno) in try memory.write(&bytes) }
        faulty.fault = FaultyKernel.Fault(.writeAt, nth: 1, error: .noSpace)
        #expect(throws: Errno.noSpace) {
            try image.withBytes { bytes throws(Errno) in try memory.write(&bytes) }
        }
        #expect(StateMemory(kernel, taking: try kernel.duplicate(memory.fd)).newest() == all)
        try image.withBytes { bytes throws(Errno) in try memory.write(&bytes) }
        #expect(StateMemory(kernel, taking: try kernel.duplicate(memory.fd)).newest() == all)
    }

    @Test func aPlan_isSealed_andOneThatIsNotIsRefused() throws {
        let plan = Plan(children: [child("plain", "serve")])
        let fd = try PlanMemory.make(plan, kernel)
        let read = try PlanMemory.read(fd, kernel)
        #expect(read == plan)
        let isWritten = (try? [UInt8(0)].withUnsafeBytes { try kernel.write(fd, $0, at: 0) }) != nil
        #expect(!isWritten)
        let open = try kernel.makeMemory("open")
        try kernel.writeAll(open, plan.encoded())
        let isTaken = (try? PlanMemory.read(open, kernel)) != nil
        #expect(!isTaken)
    }

    /// The socket of a systemd that takes what comes.
    private final class Taker {
        let directory = TemporaryDirectory()
        let socket: OwnedFD

        init() throws {
            socket = try LiveKernel().makeSocket(.unix, .datagram)
            try LiveKernel().bind(socket, to: .path(directory.path + "/notify"))
        }

        func store(_ kernel: any Kernel) throws -> DescriptorStore {
            let variables = ["FDSTORE": "3", "NOTIFY_SOCKET": directory.path + "/notify"]
            return try #require(DescriptorStore(kernel) { variables[$0] })
        }

        /// The next message: its words and how many descriptors came with it.
        func next() -> (words: String, descriptors: Int)? {
            var buffer = [UInt8](repeating: 0, count: 4096)
            return buffer.withUnsafeMutableBytes { buffer in
                do {
                    let message = try LiveKernel().receive(socket, into: buffer)
                    return (String(decoding: buffer[..<message.count], as: UTF8.self), message.descriptors.count)
                } catch {
                    return nil
                }
            }
        }
    }

    @Test func aRun_isOneMessage_andGoesByItsName_withinTheLimit() throws {
        let systemd = try Taker()
        let store = try systemd.store(kernel)
        let name = StoredName.run(ChildID(rawValue: 1), RunID(rawValue: 2), inodes: [3, 0, 0])
        #expect(store.keep(name, [systemd.socket.raw, systemd.socket.raw]))
        let first = try #require(systemd.next())
        #expect(first.words == "FDSTORE=1\nFDPOLL=0\nFDNAME=nexus-run-1-2-3-0-0")
        #expect(first.descriptors == 2)
        #expect(!store.keep(.state, [systemd.socket.raw, systemd.socket.raw]))
        #expect(systemd.next() == nil)
        store.drop(name.text, of: 2)
        #expect(try #require(systemd.next()).words == "FDSTOREREMOVE=1\nFDNAME=nexus-run-1-2-3-0-0")
        #expect(store.keep(.state, [systemd.socket.raw]))
    }

    @Test func whatCannotBeSaid_isSaidLater() throws {
        let faulty = FaultyKernel()
        let systemd = try Taker()
        let store = try systemd.store(faulty)
        faulty.fault = FaultyKernel.Fault(.send, nth: 1, error: .noBuffers)
        #expect(!store.keep(.state, [systemd.socket.raw]))
        #expect(store.count == 0)
        #expect(store.keep(.state, [systemd.socket.raw]))
        faulty.fault = FaultyKernel.Fault(.send, nth: 1, error: .noBuffers)
        store.drop(StoredName.state.text, of: 1)
        #expect(store.isBehind)
        store.goOn()
        #expect(!store.isBehind)
        #expect(try #require(systemd.next()).words.hasPrefix("FDSTORE=1"))
        #expect(try #require(systemd.next()).words.hasPrefix("FDSTOREREMOVE=1"))
    }

    @Test func withoutALimitOrASocket_thereIsNoStore() {
        for variables in [
            [:], ["FDSTORE": "3"], ["NOTIFY_SOCKET": "/run/x"], ["FDSTORE": "0", "NOTIFY_SOCKET": "/run/x"],
            ["FDSTORE": "some", "NOTIFY_SOCKET": "/run/x"],
        ] as [[String: String]] {
            #expect(DescriptorStore(kernel) { variables[$0] } == nil)
        }
    }
}
