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
        cell.remark = ShellCell.Remark(
            EndRemark(RunID(rawValue: 4), "it was late", [Explanation.Setting(key: "child.a.watchdog", value: "5s")]))
        let cells = [ShellCell(), cell]
        var image = StateImage()
        image.set(core.treeMemory)
        image.set(head)
        for (index, cell) in cells.enumerated() {
            let child = ChildID(rawValue: UInt16(index + 1))
            image.set(child, core.memory(of: child), cell)
        }
        return (image, core, head, cells)
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
        let (image, core, head, cells) = try content()
        let read = try StateImage.Content(image.parts)
        #expect(read.state == core.state)
        #expect(read.head == head)
        #expect(read.cells == cells)
        for (place, part) in image.parts.enumerated() {
            func with(_ bytes: [UInt8]) -> [[UInt8]] {
                var parts = image.parts
                parts[place] = bytes
                return parts
            }
            for count in part.indices {
                #expect(throws: ByteError.self) { try StateImage.Content(with(Array(part[..<count]))) }
            }
            #expect(throws: ByteError.self) { try StateImage.Content(with(part + [0])) }
            for index in part.indices {
                for byte in [0, 1, 255] as [UInt8] {
                    var damaged = part
                    damaged[index] = byte
                    _ = try? StateImage.Content(with(damaged))
                }
            }
        }
        #expect(throws: ByteError.self) { try StateImage.Content([]) }
    }

    /// One child says something else.
    private func say(_ words: String, _ child: UInt16, _ image: inout StateImage) throws {
        let content = try StateImage.Content(image.parts)
        var cell = content.cells[Int(child) - 1]
        cell.status = words
        image.set(ChildID(rawValue: child), content.state.children[Int(child) - 1], cell)
    }

    private func reread(_ memory: StateMemory) throws -> StateMemory {
        StateMemory(kernel, taking: try kernel.duplicate(memory.fd))
    }

    @Test func ofTwoGenerations_theNewestThatIsWholeIsRead() throws {
        // A child in the page of its part, and one that has no room there.
        for words in ["round", String(repeating: "round", count: 1000)] {
            var image = try content().image
            let memory = try StateMemory(kernel)
            var written: [[[UInt8]]] = []
            for round in 0..<3 {
                try say("\(words) \(round)", 1, &image)
                try memory.write(&image)
                written.append(image.parts)
            }
            #expect(try reread(memory).newest() == written[2])
            // Its part of the third generation is in its first half; 4096 is the page of the tree.
            let place: Int64 = words.count > 2000 ? 1 << 31 + 4 * 4 << 20 : 4096 * 3 + 40
            var byte: [UInt8] = [0]
            _ = try byte.withUnsafeMutableBytes { try kernel.read(memory.fd, into: $0, at: place) }
            try [byte[0] ^ 1].withUnsafeBytes { _ = try kernel.write(memory.fd, $0, at: place) }
            #expect(try reread(memory).newest() == written[1])
            // The seal of the second.
            try [UInt8(0xA5)].withUnsafeBytes { _ = try kernel.write(memory.fd, $0, at: 64 + 20) }
            #expect(try reread(memory).newest() == nil)
        }
    }

    @Test func aTurn_writesOnlyThePartsThatAreDifferent() throws {
        let counted = FaultyKernel()
        let memory = try StateMemory(counted)
        var image = try content().image
        func writes() throws -> Int {
            let before = counted.counts[.writeAt] ?? 0
            try memory.write(&image)
            return (counted.counts[.writeAt] ?? 0) - before
        }
        #expect(try writes() == image.parts.count + 1)
        #expect(try writes() == 0)
        try say("other", 2, &image)
        #expect(try writes() == 2)
        try say("other", 2, &image)
        #expect(try writes() == 0)
        #expect(try reread(memory).newest() == image.parts)
    }

    /// Killed before any of its writes: nothing of it counts. And whoever goes on from there is not misled by what was written.
    @Test func aGenerationThatWasNotSealed_isNone_andNothingOfItComesBack() throws {
        for nth in 1...3 {
            let faulty = FaultyKernel()
            let memory = try StateMemory(faulty)
            var image = try content().image
            try memory.write(&image)
            let before = image.parts
            try say("torn", 1, &image)
            try say("torn", 2, &image)
            faulty.fault = FaultyKernel.Fault(.writeAt, nth: nth, error: .noSpace)
            #expect(throws: Errno.noSpace) { try memory.write(&image) }
            let next = try reread(memory)
            #expect(next.newest() == before)
            var other = try content().image
            try say("whole", 2, &other)
            try next.write(&other)
            #expect(try reread(memory).newest() == other.parts)
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

    @Test func aMemoryThatCannotBeWritten_isWrittenByTheNextTurn() throws {
        let faulty = FaultyKernel()
        let memory = try StateMemory(faulty)
        var image = try content().image
        try memory.write(&image)
        try say("later", 1, &image)
        faulty.fault = FaultyKernel.Fault(.writeAt, nth: 2, error: .noSpace)
        #expect(throws: Errno.noSpace) { try memory.write(&image) }
        #expect(!image.news.isEmpty)
        try memory.write(&image)
        #expect(try reread(memory).newest() == image.parts)
    }

    @Test func aPartAboveItsBound_isRefused() throws {
        let memory = try StateMemory(kernel)
        var image = try content().image
        try say(String(repeating: "x", count: StateMemory.partLimit), 1, &image)
        #expect(throws: Errno.tooLarge) { try memory.write(&image) }
    }

    @Test func aPlan_isSealed_andOneThatIsNotIsRefused() throws {
        let plan = Plan(children: [child("plain", "serve")])
        let fd = try PlanMemory.make(plan.encoded(), kernel)
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
            return try #require(try DescriptorStore(kernel) { variables[$0] })
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

    @Test func withoutALimitOrASocket_thereIsNoStore() throws {
        for variables in [
            [:], ["FDSTORE": "3"], ["NOTIFY_SOCKET": "/run/x"], ["FDSTORE": "0", "NOTIFY_SOCKET": "/run/x"],
            ["FDSTORE": "some", "NOTIFY_SOCKET": "/run/x"],
        ] as [[String: String]] {
            let store = try DescriptorStore(kernel) { variables[$0] }
            #expect(store == nil)
        }
    }
}
