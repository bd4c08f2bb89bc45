import CNexus
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

/// What an earlier nexusd left behind, told by the mark in its environment.
@Suite(.timeLimit(.minutes(1)))
struct LeftoverTests {
    private static let old = LifeID("0123456789abcdef0123456789abcdef")!

    /// Ends what is left of `old` while its children are reaped by somebody else, as init does.
    private static func endLeftovers(_ nest: Nest, _ lives: [LifeID] = [old]) -> Leftovers.Outcome {
        nest.containment.endLeftovers(of: lives)
    }

    @Test func markedProcesses_theirSessionsAndTheirDescendants_areEnded_strangersAreNot() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest(life: Self.old)
            let other = try Nest(life: LifeID("ffffffffffffffffffffffffffffffff")!)
            // Of the run: its leader, a member of its session with an emptied environment, a daemon that kept it.
            let life = try nest.start(
                "env -i /bin/sleep 600 & (setsid /bin/sh -c '/bin/sleep 600 & echo $!' &) ; echo $!; exec sleep 600")
            let pids = try life.lines(2).compactMap { Int32($0) }.map(ProcessID.init)
            let stranger = try other.start("echo up; exec sleep 600")
            _ = try stranger.lines(1)
            let outcome = Self.endLeftovers(nest)
            try #require(outcome.remaining.isEmpty)
            try #require(Set(pids + [life.process]).isSubset(of: outcome.named.map(\.process)))
            for pid in pids + [life.process] { try #require(!isAlive(pid)) }
            try #require(isAlive(stranger.process))
            try nest.kernel.signal(stranger.pidfd, .kill)
        }
    }

    @Test func whatIgnoresSIGTERM_isKilledWithinTheLimit() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest(life: Self.old)
            let life = try nest.start("trap '' TERM; echo up; while :; do sleep 1; done")
            _ = try life.lines(1)
            let begun = nest.kernel.monotonic()
            let outcome = Self.endLeftovers(nest)
            try #require(outcome.remaining.isEmpty && !isAlive(life.process))
            try #require(nest.kernel.monotonic() - begun < Leftovers.limit)
        }
    }

    @Test func whatIsStopped_hearsSIGTERM_andSaysItsLast() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest(life: Self.old)
            let life = try nest.start("trap 'echo last; exit' TERM; kill -STOP $$; echo awake; exec sleep 600")
            let isStopped = {
                ProcessTable.entry(life.process, nest.kernel).map { _ in
                    let stat = (try? nest.kernel.readFile("/proc/\(life.process)/stat", limit: 4096)) ?? []
                    return String(decoding: stat, as: UTF8.self).contains(") T ")
                } ?? false
            }
            try #require(try nest.reap { isStopped() })
            let outcome = Self.endLeftovers(nest)
            try #require(outcome.remaining.isEmpty && !isAlive(life.process))
            try #require(life.lines(1) == ["last"])
        }
    }

    /// It is the last reader of their pipes: what they say at their end would be gone with it.
    @Test func logWriter_isEndedWhenAllOthersAre() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest(life: Self.old)
            let place = TemporaryDirectory()
            let writer = try nest.start(
                """
                trap 'test -e \(place.path)/ended && echo last || echo first; exit' TERM
                echo up; while :; do sleep 0.02; done
                """
            ) { $0.name = "log-writer" }
            // A child that takes its time, and one that has to be killed.
            let slow = try nest.start(
                "trap 'sleep 0.3; echo > \(place.path)/ended; exit' TERM; echo up; while :; do sleep 0.02; done")
            let deaf = try nest.start("trap '' TERM; echo up; exec sleep 600")
            for life in [writer, slow, deaf] { _ = try life.lines(1) }
            let outcome = Self.endLeftovers(nest)
            try #require(outcome.remaining.isEmpty)
            for life in [writer, slow, deaf] { try #require(!isAlive(life.process)) }
            try #require(writer.lines(1) == ["last"])
        }
    }

    /// Its own environ is empty then; that of the thread that lives has the mark.
    @Test func processWhoseMainThreadHasEnded_isRecognisedByAnother() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest(life: Self.old)
            let program = """
                import ctypes, os, platform, threading
                c = ctypes.CDLL(None)
                threading.Thread(target=lambda: c.sleep(600)).start(); print(os.getpid(), flush=True)
                c.syscall(60 if platform.machine() == 'x86_64' else 93, 0)
                """
            let life = try nest.start("exec /usr/bin/python3 -c \"\(program)\"")
            _ = try life.lines(1)
            let stat = "/proc/\(life.process)/stat"
            try waitFor("the end of the main thread") {
                String(decoding: try nest.kernel.readFile(stat, limit: 4096), as: UTF8.self).contains(") Z ")
            }
            let outcome = Self.endLeftovers(nest)
            try #require(outcome.named.map(\.process).contains(life.process))
            try #require(outcome.remaining.isEmpty)
        }
    }

    /// Its environment is still that of whoever started nexusd. Another life's that waits likewise is a stranger.
    @Test func processThatWaitsInItsExec_isEnded_beforeItCanRun() async {
        await #expect(processExitsWith: .success) {
            let program = try HeldProgram()
            let nest = try Nest(life: Self.old)
            let other = try Nest(life: LifeID("ffffffffffffffffffffffffffffffff")!)
            let life = try nest.start("") { $0.executable = program.path }
            let stranger = try other.start("") { $0.executable = program.path }
            for process in [life.process, stranger.process] { try HeldProgram.awaitExec(of: process) }
            try #require(ProcessTable.variable(LifeID.variable, of: life.process, nest.kernel) == nil)
            let outcome = Self.endLeftovers(nest)
            try #require(outcome.named.map(\.process) == [life.process])
            try #require(outcome.remaining.isEmpty && !isAlive(life.process) && isAlive(stranger.process))
            try nest.kernel.signal(stranger.pidfd, .kill)
        }
    }

    @Test func nameBeforeTheExec_isGoneWithIt() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest(life: Self.old)
            let life = try nest.start("echo up; exec sleep 600")
            _ = try life.lines(1)
            let name = ProcessTable.entry(life.process, nest.kernel)?.name
            try #require(name == "sh" || name == "sleep")
            try nest.kernel.signal(life.pidfd, .kill)
        }
    }

    @Test func withoutAnEarlierLife_nothingIsTouched() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest(life: Self.old)
            let life = try nest.start("echo up; exec sleep 600")
            _ = try life.lines(1)
            try #require(Self.endLeftovers(nest, []).count == 0)
            try #require(Self.endLeftovers(nest, [LifeID("11111111111111111111111111111111")!]).count == 0)
            try #require(isAlive(life.process))
            try nest.kernel.signal(life.pidfd, .kill)
        }
    }

    @Test func failingCalls_neverTrapAndNeverEndAStranger() async {
        await #expect(processExitsWith: .success) {
            let kernel = FaultyKernel()
            let nest = try Nest(kernel)
            let stranger = try nest.start("echo up; exec sleep 600")
            _ = try stranger.lines(1)
            for nth in 1...20 {
                kernel.fault = FaultyKernel.Fault(nth: nth, forEver: false, error: .tooManyOpen)
                _ = Self.endLeftovers(nest)
                kernel.fault = nil
                try #require(isAlive(stranger.process))
            }
            try nest.kernel.signal(stranger.pidfd, .kill)
        }
    }

    @Test func bookOfLives_keepsWhatIsNotOver_andForgetsTheRest() throws {
        let directory = TemporaryDirectory()
        let kernel = LiveKernel()
        let path = directory.path + "/life"
        let book = LifeBook(kernel, path: path)
        #expect(book.earlier.isEmpty)
        try book.begin(Self.old, beside: [.test])
        #expect(LifeBook(kernel, path: path).earlier == [.test, Self.old])
        #expect(try kernel.status(path, followingLinks: false).mode & 0o777 == 0o600)
        #expect(LifeBook(kernel, path: path).damage == nil && book.damage == nil)
        // Garbage is no life, and said.
        try kernel.replaceFile(path, with: Array("x\n../../etc\n\(Self.old)\n".utf8), mode: 0o600)
        #expect(LifeBook(kernel, path: path).earlier == [Self.old])
        #expect(LifeBook(kernel, path: path).damage == "it is damaged")
        try kernel.replaceFile(path, with: [], mode: 0o600)
        let emptied = LifeBook(kernel, path: path)
        #expect(emptied.earlier.isEmpty && emptied.damage == "it is empty")
        let note = try #require(emptied.note(.test))
        #expect(note.hasPrefix(path) && note.contains("grep -lz ^NEXUS_LIFE="))
        try kernel.replaceFile(path, with: [UInt8](repeating: 0x61, count: 5000), mode: 0o600)
        #expect(LifeBook(kernel, path: path).damage?.contains("EFBIG") == true)
        try kernel.removeFile(path)
        #expect(mkfifo(path, 0o600) == 0)
        #expect(LifeBook(kernel, path: path).damage == "it is no regular file")
        try book.begin(Self.old, beside: [])
        #expect(LifeBook(kernel, path: path).earlier == [Self.old])
        book.finish()
        try kernel.makeDirectory(path, mode: 0o700)
        let displaced = LifeBook(kernel, path: path)
        #expect(displaced.damage == "a directory is in its place")
        #expect(displaced.note(.test)?.hasSuffix(", end them, move the directory away, then restart nexusd") == true)
        try kernel.removeDirectory(path)
        let finished = LifeBook(kernel, path: path)
        #expect(finished.earlier.isEmpty && finished.damage == nil && finished.note(.test) == nil)
    }

    @Test func lives_differ() throws {
        let kernel = LiveKernel()
        let (one, other) = (try LifeID(kernel), try LifeID(kernel))
        #expect(one != other && one.description.utf8.count == 32 && LifeID(one.description) == one)
    }
}
