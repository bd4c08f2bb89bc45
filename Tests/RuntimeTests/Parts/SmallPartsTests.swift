import Plan
import SupervisorCore
import Testing
import Wire

@testable import Runtime

private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1_000_000_000)) }

@Suite struct EventSourceTests {
    @Test func everySource_survivesItsToken() {
        let child = ChildID(rawValue: 0x7FFF)
        let run = EventSource.Generation(RunID(second: 7, count: 0x00AB_CDEF))
        let sources: [EventSource] = [
            .signals, .listener, .client(0x8001), .notify(child), .readyDescriptor(child, run), .busInput(child, run),
            .busOutput(child, run), .population(child, run), .probe(child, run), .logLink(run), .logWriterErrors(run),
            .planOutput, .planDiagnostics,
        ]
        for source in sources { #expect(EventSource(token: source.token) == source) }
        #expect(Set(sources.map(\.token)).count == sources.count)
        #expect(EventSource(token: 0) == nil)
        #expect(EventSource(token: 0xFF00_0000_0000_0000) == nil)
    }

    @Test func anotherRun_hasAnotherToken() {
        let child = ChildID(rawValue: 1)
        let tokens = (1...3).map { EventSource.busInput(child, .init(RunID(second: 9, count: $0))).token }
        #expect(Set(tokens).count == 3)
    }
}

@Suite struct StreamNumberTests {
    @Test func number_tellsChildRunAndOutput() {
        let run = RunID(second: 1, count: 0x1_8005)
        let number = StreamNumber(ChildID(rawValue: 0x7FFF), run, .stderr)
        #expect(number.child == ChildID(rawValue: 0x7FFF))
        #expect(number.kind == .stderr)
        #expect(number.isOf(run))
        #expect(!number.isOf(RunID(second: 1, count: 0x1_8006)))
        #expect(StreamNumber(rawValue: number.rawValue) == number)
    }
}

@Suite struct RecordQueueTests {
    private func event(_ bytes: Int) -> [UInt8] { [UInt8](repeating: 1, count: bytes) }

    @Test func events_keepTheirOrder_andTheLimitCountsLosses() {
        var queue = RecordQueue()
        for _ in 0..<64 { queue.append(event: event(1024), .ordinary) }
        queue.append(event: event(1), .ordinary)
        #expect(queue.lost == 1)
        queue.removeFirst()
        queue.append(event: event(1024), .ordinary)
        let lost = queue.takeLost()
        #expect(lost == 1)
        #expect(queue.lost == 0)
    }

    /// Also where log-writer is replaced while they wait.
    @Test func useOfAVerb_hasRoomWhereNothingElseHas_anOwnersWhereAWorkersHasNone() {
        var queue = RecordQueue()
        func audit(_ child: String?) -> LogEvent { LogEvent(.audit, 5, "somebody asks: restart child:a.", child) }
        func add(_ event: LogEvent) { queue.append(event: LogOrder.event(event).packet(), .init(event)) }
        while queue.lost == 0 { add(LogEvent(.refused, 4, "a may not address b.", "a")) }
        add(audit("a"))
        #expect(queue.lost == 1)
        while queue.lost == 1 { add(audit("a")) }
        add(audit(nil))
        #expect(queue.lost == 2)
        var next = RecordQueue()
        next.append(contentsOf: queue.withoutOrders)
        #expect(next.lost == 2)
    }

    @Test func streams_areNeverLost() {
        var queue = RecordQueue()
        queue.append(event: event(RecordQueue.Share.ordinary.limit), .ordinary)
        queue.append(.stream(7))
        queue.removeFirst()
        guard case .stream(7)? = queue.first else { Issue.record("the stream is gone"); return }
    }

    @Test func anotherLogWriter_getsOnlyEvents() {
        var queue = RecordQueue()
        queue.append(.words(LogOrder.greeting(second: 1, alive: []).packet()))
        queue.append(.stream(1))
        queue.append(event: LogOrder.event(LogEvent(.ready, 6, "a is ready.")).packet(), .ordinary)
        var kept = queue.withoutOrders
        guard case .words(let packet)? = kept.first else { Issue.record("the event is gone"); return }
        #expect(LogOrder.share(packet) == .ordinary)
        kept.removeFirst()
        #expect(kept.isEmpty)
    }

    @Test func longQueue_isEmptiedInOrder() {
        var queue = RecordQueue()
        for number in 0..<1000 as Range<UInt32> { queue.append(.stream(number)) }
        for number in 0..<1000 as Range<UInt32> {
            guard case .stream(number)? = queue.first else { Issue.record("\(number) is out of order"); return }
            queue.removeFirst()
        }
        #expect(queue.isEmpty)
    }
}

@Suite struct ByteRingTests {
    private func ring(_ texts: String...) -> [String] {
        var ring = ByteRing(capacity: 16)
        for text in texts { Array(text.utf8).withUnsafeBytes { ring.append($0) } }
        return ring.lines
    }

    @Test func lastLine_isWhole_orItsEndBehindAnEllipsis() {
        func last(_ text: String) -> String? {
            var ring = ByteRing(capacity: 16)
            Array(text.utf8).withUnsafeBytes { ring.append($0) }
            return ring.lastLine
        }
        #expect(last("") == nil && last("\n\n") == nil)
        #expect(last("one\ntwo\n") == "two")
        #expect(last("0123456789\nabcdefgh") == "abcdefgh")
        #expect(last("0123456789abcdefghij") == "…456789abcdefghij")
        #expect(last("0123456789abcdefghij\n\n") == "…6789abcdefghij")
        #expect(last("xé0123456789abcde") == "…0123456789abcde")
        #expect(last(String(repeating: "\n", count: 40)) == nil)
    }

    @Test func lines_areKept_andTheFirstCutOneIsLeftOut() {
        #expect(ring("one\n", "two") == ["one", "two"])
        #expect(ring("0123456789\nabcdefgh\n") == ["abcdefgh"])
        #expect(ring("0123456789abcdef0123\nlast\n") == ["last"])
        #expect(ring() == [])
    }
}

@Suite struct StatusThrottleTests {
    @Test func changes_areSentOnceASecond_theLastOneAlways() {
        var throttle = StatusThrottle()
        throttle.set("a")
        let first = throttle.take(at: at(0))
        #expect(first == "a")
        throttle.set("b")
        let early = throttle.take(at: at(0.5))
        #expect(early == nil)
        throttle.set("c")
        #expect(throttle.deadline == at(1))
        let due = throttle.take(at: at(1))
        #expect(due == "c")
        #expect(throttle.deadline == nil)
    }

    @Test func backToWhatIsShown_armsNothing() {
        var throttle = StatusThrottle()
        throttle.set("a")
        _ = throttle.take(at: at(0))
        throttle.set("b")
        throttle.set("a")
        #expect(throttle.deadline == nil)
    }
}

@Suite struct OutputGuardTests {
    @Test func outputIsDiscarded_fromTheFifthSecondOn() {
        var outputGuard = OutputGuard()
        outputGuard.begin(at: at(10))
        let looks = (1...6).map { second in
            #expect(outputGuard.deadline == at(10 + Double(second)))
            return outputGuard.look(at: at(10 + Double(second)))
        }
        #expect(looks == [false, false, false, false, true, true])
        outputGuard.end()
        #expect(outputGuard.deadline == nil)
    }
}

@Suite struct KnockMeterTests {
    @Test func crowd_isLeftAloneForTheRestOfItsInterval() {
        var meter = KnockMeter()
        let start = Instant(nanoseconds: 0)
        #expect(!meter.isCrowded(at: start))
        for _ in 1..<KnockMeter.limit { meter.knock(at: start) }
        #expect(!meter.isCrowded(at: start))
        meter.knock(at: start + .milliseconds(99))
        #expect(meter.isCrowded(at: start + .milliseconds(99)))
        #expect(!meter.isCrowded(at: start + KnockMeter.interval))
        meter.knock(at: start + KnockMeter.interval)
        #expect(!meter.isCrowded(at: start + KnockMeter.interval))
    }
}

@Suite struct RefusalMeterTests {
    @Test func oneASecond_isTold_withTheNumberOfOthers() {
        var meter = RefusalMeter()
        let first = meter.take(at: at(1))
        #expect(first == 0)
        let second = meter.take(at: at(1.1))
        #expect(second == nil)
        let third = meter.take(at: at(1.2))
        #expect(third == nil)
        let later = meter.take(at: at(2.1))
        #expect(later == 2)
    }
}

@Suite struct RefusalMetersTests {
    @Test func askers_doNotHideEachOther_andTheirNumberIsBounded() {
        var meters = RefusalMeters()
        for round in 0..<3 {
            let worker = meters.take(.worker(ChildID(rawValue: 1)), at: at(1))
            let user = meters.take(.user(1), at: at(1))
            #expect((worker == 0) == (round == 0) && (user == 0) == (round == 0))
        }
        let told = (0..<1000).filter { meters.take(.user($0), at: at(1)) != nil }
        #expect(told.count == RefusalMeters.limit - 2 + 1)
        let later = meters.take(.worker(ChildID(rawValue: 1)), at: at(2))
        #expect(later == 2)
    }
}

@Suite struct ReadinessBoardTests {
    @Test func board_countsWhatIsMissing_andLooksOnlyAtWhatWasTouched() {
        var board = ReadinessBoard(count: 3)
        var phases: [Phase] = [.starting, .off, .ready]
        board.touchAll()
        board.settle { phases[Int($0.rawValue) - 1] }
        #expect(board.unsettled == 1)
        #expect(board.off == 1)
        #expect(!board.isReady)
        phases[0] = .ready
        board.settle { phases[Int($0.rawValue) - 1] }
        #expect(!board.isReady)
        board.touch(ChildID(rawValue: 1))
        board.settle { phases[Int($0.rawValue) - 1] }
        #expect(board.isReady)
        let changed = board.takeChange()
        #expect(changed)
        let again = board.takeChange()
        #expect(!again)
    }

    /// A tree in which everything is given up does not start any more.
    @Test func boardOfTheParked_isAtRest_andNotReady() {
        var board = ReadinessBoard(count: 2)
        var phases: [Phase] = [.parked, .delayed]
        func settle() {
            board.touchAll()
            board.settle { phases[Int($0.rawValue) - 1] }
        }
        settle()
        #expect(!board.isAtRest && board.parked == 1 && board.unsettled == 2)
        phases[1] = .parked
        settle()
        #expect(board.isAtRest && !board.isReady && board.unsettled == 2)
        phases = [.ready, .off]
        settle()
        #expect(board.isAtRest && board.isReady && board.parked == 0)
    }
}

@Suite struct WordTests {
    /// One parser for Supervisor.toml and for commands.
    @Test(
        arguments: [
            ("HUP", 1), ("SIGHUP", 1), ("1", 1), ("SIGRTMIN+1", 35), ("RTMIN+30", 64), ("64", 64), ("RTMIN+31", nil),
            ("65", nil), ("0", nil), ("SIGSTOP", 19), ("hup", nil),
        ] as [(Substring, Int32?)])
    func signal_isNamedAsInTheFile_orByItsNumber(word: Substring, number: Int32?) {
        #expect(Signal(named: word)?.rawValue == number)
    }

    @Test func signalWithoutAName_hasThatOfTheFile() {
        #expect(Signal(rawValue: 35).words == "signal 35 (RTMIN+1)" && Signal(rawValue: 35).name == "SIGRTMIN+1")
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_795_407_240, "2026-11-23T04:14:00Z"),
            (4_102_444_799, "2099-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func second_isShownAsADate(second: Int64, text: String) {
        #expect(timestamp(second: second) == text)
    }

    @Test func durations_areWords() {
        let words = [
            Duration.milliseconds(340), .milliseconds(4250), .seconds(42), .seconds(900), .seconds(7200), .seconds(-3),
        ].map(\.words)
        #expect(words == ["340 ms", "4.3 s", "42 s", "15 min", "2 h", "0 ms"])
    }

    @Test func exits_areWords() {
        #expect(Exit.code(3).words == "exit 3")
        #expect(Exit.signal(.kill, coreDumped: false, oom: true).words == "signal 9 (KILL), out of memory")
        #expect(Exit.notExecuted(.exec, errno: 2).words == "exec: No such file or directory (ENOENT)")
    }

    @Test func exits_areStatusesAsOfAShell() {
        #expect(Exit.code(3).status == 3)
        #expect(Exit.signal(.kill, coreDumped: false, oom: true).status == 137)
        #expect(Exit.notExecuted(.exec, errno: 2).status == 127)
        #expect(Exit.notExecuted(.exec, errno: 13).status == 126)
        #expect(Exit.unknown.status == 1)
    }

    @Test func messageIDs_areThirtyTwoDigits_andDiffer() {
        for kind in EventKind.allCases {
            #expect(kind.messageID.count == 32)
            #expect(kind.messageID.allSatisfy { "0123456789abcdef".contains($0) })
        }
    }

    @Test(arguments: [
        ("key abcdefgh!", "key [redacted]!"), ("abcdefghabcdefgh", "[redacted][redacted]"), ("no secret", "no secret"),
        ("cut off abcdefg", "cut off [redacted]"), ("cut off abcde", "cut off abcde"), ("", ""),
        ("line two: second-line", "line two: [redacted]"), ("abcabcdefgh", "abc[redacted]"),
    ])
    func textOfAChild_isShownWithoutItsSecrets(text: String, shown: String) {
        #expect(text.blotting(["abcdefgh", "shrt", "first\nsecond-line"]) == shown)
    }

    @Test(arguments: [
        (340, "340 ms"), (2000, "2 s"), (4200, "4.2 s"), (4260, "4.3 s"), (9999, "10 s"), (90_400, "90 s"),
        (119_999, "2 min"),
        (899_000, "15 min"), (7_199_000, "2 h"), (-5, "0 ms"),
    ])
    func duration_isRoundedToTheNearest(milliseconds: Int, words: String) {
        #expect(Duration.milliseconds(milliseconds).words == words)
    }
}

@Suite struct UnfiledLinesTests {
    @Test(arguments: [(UInt64(1), ", 1 line is lost so far: "), (2, ", 2 lines are lost so far: ")])
    func lostLines_areCountedInWords(count: UInt64, words: String) throws {
        var unfiled = UnfiledLines()
        unfiled.count("web", lines: count)
        #expect(try #require(unfiled.note).contains(words))
    }

    /// The next log-writer is told what no file says yet, and nothing twice; `status` counts on until it is over.
    @Test func remarkedLines_areNotHandedOn_andStayInTheNoteWhileItLasts() throws {
        var unfiled = UnfiledLines()
        unfiled.tell("web", trouble: "/logs/web takes nothing")
        unfiled.count("web", lines: 7)
        unfiled.remarked("web")
        #expect(unfiled.orders.isEmpty)
        unfiled.count("web", lines: 2)
        #expect(unfiled.orders == [.missing(child: "web", lines: 2)])
        #expect(try #require(unfiled.note).contains(", 9 lines are lost so far: /logs/web"))
        unfiled.logWriterEnded()
        #expect(unfiled.orders == [.missing(child: "web", lines: 2)])
        unfiled.remarked("web")
        #expect(unfiled.orders.isEmpty)
        unfiled.tell("web", trouble: "")
        #expect(unfiled.note == nil)
    }

    @Test func whoLostTheMost_isNamed() throws {
        var unfiled = UnfiledLines()
        unfiled.tell("nexusd", trouble: "/logs/nexusd takes nothing")
        unfiled.tell("talk", trouble: "/logs/talk takes nothing")
        unfiled.count("talk", lines: 7)
        let note = try #require(unfiled.note)
        #expect(note.contains("what talk and 1 more say") && note.contains("/logs/talk"), "\(note)")
    }
}
