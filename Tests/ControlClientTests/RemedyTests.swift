import ControlClient
import Testing
import Wire

@Suite(.timeLimit(.minutes(1)))
struct RemedyTests {
    private func why(
        _ state: String, _ cause: String?, exit: String = "", more: String = "", program: String = "/opt/web"
    ) throws -> String {
        let cause = cause.map { "\"\($0)\"" } ?? "null"
        let answer = """
            {"child":{"name":"web","state":"\(state)","cause":\(cause),"executable":"\(program)","pid":7\(more),\
            "last_end":{"run":"1-1","cause":"x","exit":"\(exit)"}}}
            """
        return WhyText(try JSONParser.parse(Array(answer.utf8))).text(for: .plain)
    }

    @Test(arguments: [
        ("exec: No such file or directory (ENOENT)", "/opt/web is not there"),
        ("exec: Permission denied (EACCES)", "/opt/web is not executable"),
        ("exec: Exec format error (ENOEXEC)", "no program for this machine"),
        ("directory: No such file or directory (ENOENT)", "make its working directory"),
        ("identity: Operation not permitted (EPERM)", "right to change users"),
        ("limits: Operation not permitted (EPERM)", "lower `limits`"), ("exit 0", "foreground"),
        ("exit 78", "its own configuration"),
        ("prepare: Address already in use (EADDRINUSE)", "take another address"),
        ("directory: Permission denied (EACCES)", "into its working directory"),
        ("prepare: Permission denied (EACCES)", "of its sockets, secrets and directories"),
    ])
    func configurationError_saysHowToMendIt(exit: String, words: String) throws {
        let text = try why("parked", "config", exit: exit)
        #expect(text.contains(words) && text.contains("then `nexusctl start web`"))
    }

    @Test func programThatWasNotFound_isLookedForByAReload() throws {
        let text = try why("parked", "config", exit: "exec: No such file or directory (ENOENT)", program: "")
        #expect(text.contains("install it or correct `command`, then `nexusctl reload`, then `nexusctl start web`"))
    }

    @Test func whatCouldNotBeHad_isNamed_andNotSaidTwice() throws {
        let answer = """
            {"child":{"name":"web","state":"parked","cause":"config","executable":"/opt/web","next_try_ms":60000,"last_end":{
            "run":"1-1","cause":"config","exit":"prepare: No such file or directory (ENOENT)",
            "detail":"secret token: /etc/token: No such file or directory (ENOENT); make the file"}},"settings":[]}
            """
        let json = try JSONParser.parse(Array(answer.utf8))
        let text = WhyText(json).text(for: .plain)
        #expect(
            text.contains("  because  secret token: /etc/token: No such file or directory (ENOENT); make the file\n"))
        #expect(text.contains("  do       mend that, then `nexusctl start web`"))
        #expect(
            ChildStatus(json["child"] ?? .null).words
                == "config: secret token: /etc/token: No such file or directory (ENOENT); make the file; slow retry in 60 s"
        )
    }

    /// By hand the limit does not apply.
    @Test func limitThatMayBeBehindIt_isRaisedAndNotTriedByHand() throws {
        let answer = """
            {"child":{"name":"web","state":"parked","cause":"crash","last_end":{"run":"1-1","cause":"crash",
            "exit":"signal 11 (SEGV)","detail":"it may have run into its limit `limits.data` (0)"}}}
            """
        let text = WhyText(try JSONParser.parse(Array(answer.utf8))).text(for: .plain)
        #expect(
            text.contains("  do       raise `limits.data`, or see whether it ends so without that limit too"), "\(text)"
        )
    }

    @Test func noLastLines_areNotSpokenOf() throws {
        for (state, cause, exit) in [
            ("parked", "crash", "exit 1"), ("parked", "config", "exit 78"), ("delayed", "crash", "exit 1"),
        ] {
            let text = try why(state, cause, exit: exit, more: #","unstable_runs":3,"user":"www""#)
            #expect(text.contains("  do ") && !text.contains("last lines"), "\(text)")
        }
        #expect(try why("parked", "crash", more: #","user":"www""#).contains("run its command by hand as www"))
    }

    @Test func why_sendsNobodyToItself() throws {
        #expect(try why("parked", "crash", exit: "exit 1").hasPrefix("web is parked: crash: exit 1; needs you\n"))
        let child = #"{"name":"web","state":"parked","cause":"crash"}"#
        #expect(ChildStatus(try JSONParser.parse(Array(child.utf8))).words == "crash; needs you: nexusctl why web")
    }

    @Test(arguments: [
        ("oom", "give it more memory"), ("watchdog", "send WATCHDOG=1 in time"), ("probe", "readiness or liveness"),
    ])
    func childThatKeepsEnding_isHelpedByItsCause(cause: String, words: String) throws {
        let text = try why("delayed", cause, more: #","unstable_runs":3"#)
        #expect(text.contains("it ended 3 times in a row: ") && text.contains(words), "\(text)")
        #expect(try why("scheduled", cause, more: #","unstable_runs":1"#).contains(words))
        let running = #","unstable_runs":1,"scheduled":true"#
        #expect(try why("ready", nil, exit: "exit 5", more: running).contains("about its last run: it said nothing"))
    }

    @Test(arguments: [
        ("watchdog", "signal 15 (TERM)", "it said WATCHDOG=trigger", "see where it hangs: it said so itself"),
        ("crash", "exec: Connection timed out (ETIMEDOUT)", "not executed within 10 s", "a lease on /opt/web"),
        ("probe", "signal 15 (TERM)", "not executed within 3 s: the kernel waits", "a lease on /opt/web"),
        ("crash", "exec: Text file busy (ETXTBSY)", "", "end what has /opt/web open for writing"),
        ("crash", "exec: Resource temporarily unavailable (EAGAIN)", "", "more processes (`limits.nproc`)"),
        ("crash", "signal 9 (KILL)", "it had used up 2s of processor time, its limit", "raise `limits.cpu`"),
        ("crash", "signal 25 (XFSZ)", "a file of it would have grown above 1MiB, its limit", "raise `limits.fsize`"),
        ("crash", "signal 9 (KILL)", "it said STOPPING=1 and had not ended after 1 s", "raise `stop-timeout`"),
    ])
    func endThatIsKnown_isHelpedByWhatMadeIt(cause: String, exit: String, detail: String, words: String) throws {
        let answer = """
            {"child":{"name":"web","state":"delayed","cause":"\(cause)","executable":"/opt/web","unstable_runs":3,\
            "last_end":{"run":"1-1","cause":"\(cause)","exit":"\(exit)","detail":"\(detail)"}}}
            """
        let text = WhyText(try JSONParser.parse(Array(answer.utf8))).text(for: .plain)
        #expect(text.contains(words) && !text.contains("said nothing in its last run"), "\(text)")
    }

    /// While it serves between two ends the advice is the same.
    @Test(
        arguments: [
            ("watchdog", 0, "send WATCHDOG=1 in time"),
            ("probe", 4, "it ended 4 times in a row: see whether it serves"),
            ("oom", 1, "about its last end: give it more memory"), ("crash", 2, "run its command by hand"),
            ("crash", 1, nil),
            ("crash", 0, nil), ("asked", 3, nil), ("done", 3, nil),
        ] as [(String, Int, String?)])
    func childBetweenTwoEnds_isHelpedByItsLastOne(cause: String, unstable: Int, words: String?) throws {
        for state in ["ready", "starting"] {
            #expect(try !why("stopping", "asked").contains("  do "))
            #expect(try why("stopping", "watchdog").contains("  do       let it send WATCHDOG=1 in time"))
            let answer = """
                {"child":{"name":"web","state":"\(state)","cause":null,"unstable_runs":\(unstable),\
                "last_end":{"run":"1-1","cause":"\(cause)","exit":"signal 15 (TERM)"}}}
                """
            let text = WhyText(try JSONParser.parse(Array(answer.utf8))).text(for: .plain)
            #expect(words.map(text.contains) ?? !text.contains("  do "), "\(text)")
        }
    }

    @Test(
        arguments: [
            ("#!/bin/sh\n", "/bin/sh"), ("#! \t/no/such -x\necho", "/no/such"), ("#!\n", nil), ("\u{7F}ELF", nil),
            ("", nil),
            ("#!/bin/sh", "/bin/sh"),
        ] as [(String, String?)])
    func interpreterOfAScript_isInItsFirstLine(text: String, name: String?) {
        #expect(carrier(Array(text.utf8)) == name.map(ProgramHead.Carrier.interpreter))
    }

    @Test(arguments: [
        ("/run/x: Address already in use (EADDRINUSE); end what listens there, or take another path", "`ss -lxp` says"),
        ("127.0.0.1:80: Address already in use (EADDRINUSE); end what listens there", "`ss -lntup` says"),
        (
            "/run/x: Address already in use (EADDRINUSE); there is a file of that name which is no socket: remove it, or",
            "mend that"
        ),
        ("127.0.0.1:80: Address already in use (EADDRINUSE): db (pid 7) listens there; stop it, or", "mend that"),
    ])
    func socketThatIsInUse_isSaidByItsKind(how: String, words: String) throws {
        let answer = """
            {"child":{"name":"web","state":"parked","cause":"config","executable":"/opt/web","last_end":{"run":"1-1",
            "cause":"config","exit":"prepare: Address already in use (EADDRINUSE)",
            "detail":"socket 'web' cannot listen on \(how)"}}}
            """
        let text = WhyText(try JSONParser.parse(Array(answer.utf8))).text(for: .plain)
        #expect(text.contains("  do       \(words)"), "\(text)")
    }

    private func carrier(_ file: [UInt8]) -> ProgramHead.Carrier? {
        ProgramHead.carrier { offset, count in Array(file.dropFirst(Int(clamping: offset)).prefix(count)) }
    }

    /// An ELF file whose second program header names a loader at its end.
    private func elf(is64: Bool, _ loader: String) -> [UInt8] {
        func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 255) } }
        let (word, entry) = is64 ? (8, 56) : (4, 32)
        let head = is64 ? 64 : 52
        let name = Array(loader.utf8) + [0]
        var file: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, is64 ? 2 : 1, 1] + [UInt8](repeating: 0, count: 18 + word)
        file += little(head, word) + [UInt8](repeating: 0, count: word + 6)
        file += little(entry, 2) + little(2, 2)
        file += [UInt8](repeating: 0, count: head - file.count) + little(1, 4) + [UInt8](repeating: 0, count: entry - 4)
        var part = little(3, 4) + [UInt8](repeating: 0, count: is64 ? 4 : 0) + little(1000, word)
        part += [UInt8](repeating: 0, count: 2 * word) + little(name.count, word)
        file += part
        return file + [UInt8](repeating: 0, count: 1000 - file.count) + name
    }

    @Test(arguments: [true, false]) func loaderOfAnElfProgram_isItsInterpreterPart(is64: Bool) {
        let file = elf(is64: is64, "/lib/ld-none.so.2")
        #expect(carrier(file) == .loader("/lib/ld-none.so.2"))
        #expect(carrier(elf(is64: is64, "")) == nil)
        // What is cut off or damaged names something, or nothing; it ends nobody.
        for count in 0...file.count { _ = carrier(Array(file.prefix(count))) }
        for index in file.indices {
            var damaged = file
            damaged[index] = 0xFF
            _ = carrier(damaged)
        }
    }

    @Test(arguments: [
        (
            ProgramHead.Carrier.interpreter("/no/such"),
            "/no/such, which it names to carry it out, is not: install that or"
        ),
        (
            .loader("/no/ld.so"),
            "/no/ld.so, the loader that it was built for, is not: install that, or a build for this"
        ),
    ])
    func whatCarriesAProgramOut_isNamedWhereItIsMissing(missing: ProgramHead.Carrier, words: String) throws {
        let answer = #"""
            {"child":{"name":"web","state":"parked","cause":"config","executable":"/opt/web","last_end":{"run":"1-1",
            "cause":"config","exit":"exec: No such file or directory (ENOENT)"}}}
            """#
        let json = try JSONParser.parse(Array(answer.utf8))
        #expect(WhyText.programWithoutFile(json) == "/opt/web")
        var beside = WhyText.Beside()
        beside.missing = missing
        let text = WhyText(json, beside: beside).text(for: .plain)
        #expect(text.contains("  do       /opt/web is there, and \(words)"), "\(text)")
    }

    @Test func nextRunOfTheClock_hasItsDate() throws {
        func text(_ milliseconds: Int) throws -> String {
            let answer = """
                {"child":{"name":"job","state":"scheduled","next_try_ms":\(milliseconds)},"next":"its next run in 63 h"}
                """
            var beside = WhyText.Beside()
            beside.now = WallTime(nanosecondsSince1970: 1_772_323_200_400_000_000)
            return WhyText(try JSONParser.parse(Array(answer.utf8)), beside: beside).text(for: .plain)
        }
        let later = WallTime(nanosecondsSince1970: 1_772_550_000_000_000_000)
        #expect(try text(226_799_700).contains("  next     its next run in 63 h\n  when     \(later.local)\n"))
        #expect(try !text(59_000).contains("when"))
        #expect(WallTime(spoken: String(later.local.dropFirst(4)), now: later) == later)
    }

    @Test func everyStateWithSomethingToDo_saysIt() throws {
        #expect(try why("waiting", nil, more: #","waits_for":"db""#).contains("nexusctl why db"))
        #expect(try why("parked", "dependency", more: #","waits_for":"db""#).contains("because of db"))
        #expect(try why("unkillable", "unkillable").contains("/proc/7/wchan"))
        #expect(try why("parked", "oom").contains("memory"))
        #expect(try !why("ready", nil).contains("  do "))
        #expect(try !why("done", "done").contains("  do "))
    }
}
