import CNexus
import Chance
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

@Suite(.timeLimit(.minutes(1)))
struct NotifyTests {
    let kernel = LiveKernel()
    let directory = TemporaryDirectory()
    let disposal = Disposal(LiveKernel())

    /// As at the end of a turn: the threads do what was ordered, and say so.
    private func letGo(_ socket: NotifySocket) throws {
        let poller = try Poller(kernel)
        disposal.begin(with: poller, token: 1, at: kernel.monotonic())
        try poller.wait(atMost: .seconds(20))
        for number in disposal.takeReports() { #expect(socket.goOn(after: number)) }
        #expect(!socket.isBlocked)
    }

    private func makeSocket(user: UInt32? = nil) throws -> NotifySocket {
        try NotifySocket(
            kernel, disposal, directory: directory.path, child: "child", user: user ?? kernel.userID(),
            group: kernel.groupID())
    }

    private func say(_ text: String, passing descriptors: [Int32] = []) throws {
        let socket = try kernel.makeSocket(.unix, .datagram)
        let bytes = Array(text.utf8)
        _ = try bytes.withUnsafeBufferPointer {
            try kernel.send(
                socket, UnsafeRawBufferPointer($0), passing: descriptors, to: .path(directory.path + "/child.sock"))
        }
    }

    private func heard(_ socket: NotifySocket) -> [NotifyWord] {
        var words: [NotifyWord] = []
        socket.receiveAll { words.append($0) }
        return words
    }

    @Test(arguments: [
        ("READY=1", [NotifyWord.ready]), ("READY=1\n", [.ready]), ("READY=0", [.malformed(.ready, "0")]),
        ("READY=11", [.malformed(.ready, "11")]), ("READY", []),
        ("ready=1", []), ("", []), ("\n\n\n", []), ("=1", []),
        ("READY=1\nSTATUS=up\nMAINPID=1\n", [.ready, .status("up"), .mainProcess]), ("RELOADING=1", []),
        ("WATCHDOG=trigger", [.watchdogTrigger]), ("WATCHDOG=2", [.malformed(.watchdog, "2")]),
        ("WATCHDOG_USEC=0", [.watchdogInterval(.zero)]),
        ("WATCHDOG_USEC=1500000", [.watchdogInterval(.milliseconds(1500))]),
        ("WATCHDOG_USEC=9999", [.malformed(.watchdogInterval, "9999")]),
        ("WATCHDOG_USEC=x", [.malformed(.watchdogInterval, "x")]),
        ("WATCHDOG_USEC=3600000000", [.watchdogInterval(.seconds(3600))]),
        ("WATCHDOG_USEC=3600000001", [.malformed(.watchdogInterval, "3600000001")]),
        ("WATCHDOG_USEC=9223372036854775807", [.malformed(.watchdogInterval, "9223372036854775807")]),
        ("WATCHDOG_USEC=-1", [.malformed(.watchdogInterval, "-1")]), ("STOPPING=", [.malformed(.stopping, "")]),
        ("BARRIER=1", [.malformed(.barrier, "1")]),
        ("STOPPING=1\nWATCHDOG=1", [.stopping, .watchdog]), ("STATUS=a=b", [.status("a=b")]),
        ("STATUS=\u{1B}[31mred\tb\u{1B}[0m", [.status("red b")]),
        ("EXTEND_TIMEOUT_USEC=2500000", [.extendTimeout(.milliseconds(2500))]),
        ("EXTEND_TIMEOUT_USEC=99999999999999999999", [.malformed(.extendTimeout, "99999999999999999999")]),
        ("EXTEND_TIMEOUT_USEC=-1", [.malformed(.extendTimeout, "-1")]),
        ("EXTEND_TIMEOUT_USEC=", [.malformed(.extendTimeout, "")]),
        ("EXTEND_TIMEOUT_USEC=1 2", [.malformed(.extendTimeout, "1 2")]),
        ("EXTEND_TIMEOUT_USEC=9223372036854775807", [.extendTimeout(.seconds(3600))]),
        ("FDSTORE=1\nX_OTHER=1\nREADY=1", [.ready]),
    ]) func datagram_isReadAsWords(text: String, words: [NotifyWord]) {
        #expect(NotifyWord.parse(Array(text.utf8)) == words)
    }

    @Test func malformedValue_isShownAsAStatusIs() {
        let value = "\u{1B}" + String(repeating: "é", count: 300)
        #expect(
            NotifyWord.parse(Array("WATCHDOG=\(value)".utf8)) == [
                .malformed(.watchdog, " " + String(repeating: "é", count: 127))
            ])
    }

    @Test func anyBytes_areParsedWithoutATrap() {
        var random = SplitMix(seed: 0x6E6F_7469_6679)
        let pieces = ["READY=", "STATUS=", "EXTEND_TIMEOUT_USEC=", "1", "\n", "=", "9", "\0", "é"].map {
            Array($0.utf8)
        }
        for _ in 0..<5000 {
            var bytes: [UInt8] = []
            for _ in 0..<random.next(below: 12) {
                bytes += pieces[random.next(below: pieces.count)]
                bytes.append(UInt8(truncatingIfNeeded: random.next(below: 256)))
            }
            for case .status(let text) in NotifyWord.parse(bytes) {
                #expect(text.utf8.count <= NotifyWord.statusLimit)
            }
        }
    }

    @Test func longStatus_isCutAtAScalar() {
        let words = NotifyWord.parse(Array(("STATUS=x" + String(repeating: "é", count: 300)).utf8))
        guard case .status(let text)? = words.first else { return #expect(Bool(false)) }
        #expect(text == "x" + String(repeating: "é", count: 127))
    }

    @Test func socket_isTheChildsAlone() throws {
        let socket = try makeSocket()
        let status = try kernel.status(socket.path, followingLinks: false)
        #expect(status.kind == .socket && status.mode == 0o600 && status.user == kernel.userID())
        let again = try makeSocket()  // what an earlier one left is replaced
        try say("READY=1")
        #expect(heard(socket).isEmpty && heard(again) == [.ready])
        again.remove()
        #expect(throws: Errno.noEntry) { try kernel.status(again.path, followingLinks: false) }
    }

    @Test func messages_areHeardInOrderAndBoundedPerTurn() throws {
        let socket = try makeSocket()
        // net.unix.max_dgram_qlen is 10 on an untouched machine.
        for number in 0..<10 { try say("STATUS=\(number)") }
        var words: [NotifyWord] = []
        #expect(socket.receive(atMost: 4) { words.append($0) })
        #expect(words == (0..<4).map { .status("\($0)") })
        #expect(socket.receive(atMost: 100) { words.append($0) } == false)
        #expect(words == (0..<10).map { .status("\($0)") })
        try say("READY=1")
        socket.discardPending()
        #expect(heard(socket).isEmpty)
    }

    @Test func senderWhoIsNotTheChilds_isRefused_askedOnceForARow() throws {
        let socket = try makeSocket()
        var asked: [ProcessID] = []
        var answer = true
        socket.isForeign = {
            asked.append($0)
            return answer
        }
        try say("READY=1")
        #expect(heard(socket).isEmpty && socket.refused == 1 && asked == [kernel.processID()])
        answer = false
        for _ in 0..<3 { try say("READY=1") }
        #expect(heard(socket).count == 3 && asked.count == 2)
        socket.discardPending()
        socket.isUserItsOwn = true
        try say("READY=1")
        #expect(heard(socket).count == 1 && asked.count == 2)
    }

    @Test func messageAbove4KiB_isRefusedWhole() throws {
        let socket = try makeSocket()
        var refusals: [NotifySocket.Refusal] = []
        socket.refuses = { refusals.append($0) }
        try say("READY=1\nSTATUS=" + String(repeating: "x", count: 5000))
        #expect(heard(socket).isEmpty && socket.refused == 1 && refusals == [.tooLong])
        // What fits is heard, to the last byte.
        try say("STATUS=y\n" + String(repeating: "x", count: NotifySocket.messageLimit - 9))
        #expect(heard(socket) == [.status("y")] && refusals.count == 1)
    }

    @Test func barrier_isClosedAfterWhatCameBefore() throws {
        let socket = try makeSocket()
        let pipe = try kernel.makePipe(blocking: [])
        let read = pipe.read
        let write = pipe.write.release()
        try say("READY=1")
        try say("BARRIER=1", passing: [write])
        _ = close(write)
        #expect(try waitUntil(read, is: .hangUp, within: .milliseconds(20)) == false)
        try say("STATUS=behind")
        #expect(heard(socket) == [.ready])
        #expect(socket.isBlocked && heard(socket).isEmpty)
        try letGo(socket)
        #expect(try waitUntil(read, is: .hangUp, within: .seconds(10)))
        #expect(heard(socket) == [.status("behind")])
    }

    @Test func descriptorsOfAnyMessage_areClosed() throws {
        let socket = try makeSocket()
        let pipe = try kernel.makePipe(blocking: [])
        let read = pipe.read
        let write = pipe.write.release()
        try say("FDSTORE=1\nFDNAME=x", passing: [write, write, write])
        _ = close(write)
        #expect(heard(socket).isEmpty)
        try letGo(socket)
        #expect(try waitUntil(read, is: .hangUp, within: .seconds(10)))
    }

    @Test(.enabled(if: LiveKernel().userID() == 0, "needs root")) func foreignUid_isRefused_evenWhenItGetsThrough()
        throws
    {
        let socket = try makeSocket(user: 65_534)
        try kernel.changeMode(directory.path, to: 0o711)
        try kernel.changeMode(socket.path, to: 0o666)  // so that only the credentials can refuse it
        var refusals: [NotifySocket.Refusal] = []
        socket.refuses = { refusals.append($0) }
        #expect(try speak(as: 65_533, to: socket) == .code(0))
        #expect(heard(socket).isEmpty && socket.refused == 1 && refusals == [.foreignUser(65_533)])
        #expect(try speak(as: 65_534, to: socket) == .code(0))
        #expect(heard(socket) == [.ready])
    }

    @Test(.enabled(if: LiveKernel().userID() == 0, "needs root")) func foreignUid_isKeptOutByTheMode() throws {
        let socket = try makeSocket(user: 65_534)
        try kernel.changeMode(directory.path, to: 0o711)
        #expect(try speak(as: 65_533, to: socket) != .code(0))
        #expect(heard(socket).isEmpty && socket.refused == 0)
    }

    /// READY=1 from a process of another user; Python is the one everywhere that can send to a datagram socket.
    private func speak(as user: UInt32, to socket: NotifySocket) throws -> Exit? {
        let script = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.sendto(b"READY=1", sys.argv[1])
            """
        var image = SpawnImage(
            executable: "/usr/bin/python3", arguments: ["python3", "-c", script, socket.path], environment: [])
        image.identity = SpawnIdentity(user: user, group: user)
        let null = try kernel.open("/dev/null", .readWrite, mode: 0)
        image.descriptors = (0...2).map { DescriptorMapping(source: null.raw, target: $0) }
        return try waitForExit(try kernel.spawn(image))
    }

    @Test func setUp_failingAtEveryCall_leavesNoSocketOpen() async {
        await #expect(processExitsWith: .success) {
            let directory = TemporaryDirectory()
            let leaks = try leaksDescriptors(over: 20) {
                let calls = FaultyKernel.sweep(.tooManyOpen) { kernel in
                    _ = try? NotifySocket(
                        kernel, Disposal(kernel), directory: directory.path, child: "c", user: kernel.userID(), group: 0
                    )
                }
                try #require(calls >= 5)
            }
            try #require(!leaks)
        }
    }

    @Test func ownWords_reachWhoeverSupervises() throws {
        let receiver = try kernel.makeSocket(.unix, .datagram)
        try kernel.bind(receiver, to: .path(directory.path + "/up"))
        let notify = try #require(OwnNotify(kernel, variable: directory.path + "/up"))
        #expect(notify.send(.ready, .status("two\nlines")))
        #expect(notify.send(.extendTimeout(.seconds(2)), .watchdog, .stopping))
        var buffer = [UInt8](repeating: 0, count: 256)
        let texts = try (0..<2).map { _ in
            let count = try buffer.withUnsafeMutableBufferPointer {
                try kernel.read(receiver, into: UnsafeMutableRawBufferPointer($0))
            }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
        #expect(texts == ["READY=1\nSTATUS=two lines", "EXTEND_TIMEOUT_USEC=2000000\nWATCHDOG=1\nSTOPPING=1"])
    }

    @Test func ownWords_neverWait() throws {
        let receiver = try kernel.makeSocket(.unix, .datagram)
        try kernel.bind(receiver, to: .path(directory.path + "/up"))
        let notify = try #require(OwnNotify(kernel, variable: directory.path + "/up"))
        var sent = 0
        while notify.send(.watchdog) { sent += 1 }
        #expect(sent > 0)
        #expect(OwnNotify(kernel, variable: nil) == nil && OwnNotify(kernel, variable: "relative") == nil)
        #expect(OwnNotify(kernel, variable: "/nonexistent/socket")?.send(.ready) == false)
    }

    @Test func watchdog_isPingedTwiceAnInterval_whenItIsMeantForUs() {
        let own = kernel.processID()
        let interval = OwnNotify.watchdogInterval(microseconds: "3000000", process: "\(own)", own: own)
        #expect(interval == .milliseconds(1500))
        #expect(OwnNotify.watchdogInterval(microseconds: "3000000", process: "1", own: own) == nil)
        #expect(OwnNotify.watchdogInterval(microseconds: "x", process: nil, own: own) == nil)
    }
}
