import ControlClient
import Testing
import Wire

@Suite(.timeLimit(.minutes(1)))
struct StatusTests {
    private static let answer = #"""
        {"version":"0.1.0","pid":4711,"instance":"6743f2a1","started":"2026-11-23T04:20:53Z","uptime_ms":180000,"state":"running",
        "ready":false,"uid_wall":false,"guarantee":"whole tree only","config":"/c","state_directory":"/s",
        "runtime_directory":"/r","notes":["the uid wall is off: every child runs as nexusd's own user","the last good plan is in force, for the file was refused: x","no cloudflared here"],"strays":[{"pid":99,"name":"sleep"}],
        "groups":[{"name":"agent","strategy":"one-for-one","children":["opencode","agent-worker"],"state":"running","next_try_ms":null},
        {"name":"tunnel","strategy":"one-for-one","children":["tunnel-worker","cloudflared"],"state":"parked","next_try_ms":720000}],
        "children":[
        {"name":"log-writer","group":null,"worker":false,"enabled":true,"state":"ready","since_ms":180000,"pid":4712,"run":"6743f2a1-1","user":"alice","cause":null,"waits_for":null,"next_try_ms":null,"restarts":0,"unstable_runs":0,"status":"writing files","values":{},"executable":"/b/log-writer","last_end":null},
        {"name":"opencode","group":"agent","worker":false,"enabled":true,"state":"ready","since_ms":2000,"pid":4713,"run":"6743f2a1-2","user":"alice","restarts":2,"unstable_runs":1,"status":null,"values":{"port":"4096"},"last_end":null},
        {"name":"agent-worker","group":"agent","worker":true,"enabled":true,"state":"delayed","since_ms":240,"pid":null,"run":null,"cause":"crash","next_try_ms":1600,"restarts":12,"unstable_runs":5,"status":null,"values":{},"last_end":{"run":"6743f2a1-9","cause":"crash","exit":"signal 9 (KILL)","code":null,"signal":9,"ran_ms":12,"ended_ms_ago":240}},
        {"name":"tunnel-worker","group":"tunnel","worker":true,"enabled":true,"state":"waiting","since_ms":0,"waits_for":"agent-worker","restarts":0,"unstable_runs":0},
        {"name":"cloudflared","group":"tunnel","worker":false,"enabled":false,"state":"off","since_ms":180000,"restarts":0,"unstable_runs":0,"status":"e\u001b[31mvil"}]}
        """#

    private func report() throws -> StatusReport { StatusReport(try JSONParser.parse(Array(Self.answer.utf8))) }

    @Test func status_isATableByGroup() throws {
        let expected = """
            nexus 0.1.0 · pid 4711 · up 3 min · running, not ready yet · containment: whole tree only · \
            uid wall off: every child runs as alice · the last good plan is in force, for the file was refused: x

            NAME             STATE    SINCE   PID  RESTARTS  STATUS
            log-writer       ready    3 min  4712         0  writing files
            agent · one-for-one
              opencode       ready    2 s    4713         2  port 4096
              agent-worker   delayed  0.2 s     -        12  crash: signal 9 (KILL); next try in 1.6 s
            tunnel · one-for-one · parked, next try in 12 min
              tunnel-worker  waiting  0 s       -         0  waits for agent-worker
              cloudflared    off      3 min     -         0  evil
            stray: process 99 (sleep) left its run; it is ended at shutdown
            note: no cloudflared here

            """
        #expect(try report().table(user: "alice", for: .plain) == expected)
    }

    @Test func oneChildOrGroup_canBeShownAlone() throws {
        let child = try report().table(user: nil, for: .plain, only: ["opencode"])
        #expect(child.contains("opencode") && !child.contains("tunnel") && !child.contains("log-writer  "))
        let group = try report().table(user: nil, for: .plain, only: ["tunnel"])
        #expect(group.contains("cloudflared") && group.contains("tunnel-worker") && !group.contains("opencode"))
    }

    @Test func colours_areOnlyOnATerminal() throws {
        let terminal = Terminal(colour: true, columns: nil)
        #expect(try report().table(user: nil, for: terminal).contains("\u{1B}[32mready\u{1B}[0m"))
        #expect(try !report().table(user: nil, for: .plain).contains("\u{1B}"))
    }

    @Test func tree_isAPicture() throws {
        let expected = """
            nexusd 4711
            ├─ log-writer 4712 ready
            ├─ agent · one-for-one
            │  ├─ opencode 4713 ready
            │  └─ agent-worker delayed (worker)
            └─ tunnel · one-for-one · parked, next try in 12 min
               ├─ tunnel-worker waiting (worker)
               └─ cloudflared off

            """
        #expect(try report().tree(for: .plain) == expected)
    }

    @Test(arguments: [
        ("ready", "busy; its last run failed: crash: exit 1; skipped one run: it ran still"),
        ("starting", "busy; not ready yet; its last run failed: crash: exit 1"),
        ("waiting", "waits for db; its last run failed: crash: exit 1"),
    ])
    func failureOfAScheduledRun_isShownWhileTheNextIsThere(state: String, words: String) throws {
        let child = """
            {"name":"job","state":"\(state)","cause":"crash","scheduled":true,"skipped_runs":1,"unstable_runs":1,"status":"busy",
            "waits_for":"db","last_end":{"run":"1-1","cause":"crash","exit":"exit 1"}}
            """
        #expect(ChildStatus(try JSONParser.parse(Array(child.utf8))).words == words)
    }

    /// A picture without news: everything that counts goes on counting.
    @Test func timesOfAPicture_goOn() throws {
        let answer = #"""
            {"uptime_ms":1000,"children":[{"name":"a","state":"stopping","since_ms":1000,"limit_ms":2900},
            {"name":"b","state":"ready","recycle":{"above_bytes":1,"not_before_ms":4000,"within_ms":9000,"when_idle":true}}]}
            """#
        let report = StatusReport(try JSONParser.parse(Array(answer.utf8)))
        let later = report.aged(by: .seconds(2))
        #expect(later.children[0].since == .seconds(3) && later.children[0].limit == .milliseconds(900))
        #expect(later.children[1].recycle?.notBefore == .seconds(2) && later.children[1].recycle?.within == .seconds(7))
        #expect(report.aged(by: .seconds(60)).children[0].limit == .zero)
    }

    @Test func pictureOfAGoneNexusd_saysSo_andHasNoColours() throws {
        let terminal = Terminal(colour: true, columns: 80)
        let picture = try report().picture(user: nil, for: terminal, gone: "04:20:53Z")
        #expect(picture.head.first == "\u{1B}[31mNO NEXUSD since 04:20:53Z: what follows is how it was then\u{1B}[0m")
        #expect(picture.head.last?.hasPrefix("NAME ") == true)
        #expect(!(picture.head.dropFirst() + picture.body).contains { $0.contains("\u{1B}") })
    }

    @Test(arguments: [
        (#"{"state":"parked"},{"state":"parked"},{"state":"ready"}"#, "running, 2 parked"),
        (#"{"state":"parked"},{"state":"delayed"}"#, "running, not ready yet"),
    ])
    func headline_saysWhatIsGivenUp(children: String, words: String) throws {
        let answer = #"{"state":"running","ready":false,"children":[\#(children)]}"#
        let line = StatusReport(try JSONParser.parse(Array(answer.utf8))).headline(user: nil)
        #expect(line.contains(" · \(words) · "), "\(line)")
    }

    @Test(
        arguments: [
            (#"{"name":"a","user":"www"},{"name":"log-writer"}"#, nil),
            (#"{"name":"a","user":"www"},{"name":"b"}"#, "uid wall has gaps: b runs as root"),
            (
                #"{"name":"a","user":"www"},{"name":"b"},{"name":"c"},{"name":"d"}"#,
                "uid wall has gaps: b and 2 more run as root"
            ),
        ] as [(String, String?)])
    func childWithoutAUserAmongOthers_isAGapInTheWall(children: String, words: String?) throws {
        let answer = #"{"uid_wall":true,"children":[\#(children)]}"#
        let line = StatusReport(try JSONParser.parse(Array(answer.utf8))).headline(user: "root")
        #expect(words.map(line.contains) ?? !line.contains("uid wall"), "\(line)")
    }

    @Test func strays_areTold_toWhomTheyConcern() throws {
        let answer = #"""
            {"strays":[{"pid":7,"name":"x","child":"a"},{"pid":8,"name":"y","child":"b"},{"pid":9,"name":"z","child":null}],
            "stray_count":4}
            """#
        let report = StatusReport(try JSONParser.parse(Array(answer.utf8)))
        #expect(
            report.strayWords(of: ["a"]) { _ in nil } == [
                "process 7 (x) left its run of a; it is ended at shutdown, or by `kill 7`",
                "2 processes left their runs, and nothing tells whose: see `nexusctl status`",
            ])
        #expect(report.strays(of: ["b"]) { _ in nil }.map(\.pid) == [8, 9])
    }

    /// Of the run that is there, of the one that ended, and of neither: older than both, and born between them.
    @Test(arguments: [(5, true), (30, true), (60, false), (15, false)])
    func strayOfNobody_concernsAChild_whoseRunWasThereWhenItBegan(_ age: Int, _ concerns: Bool) throws {
        let answer = #"""
            {"children":[{"name":"a","pid":3,"last_end":{"ran_ms":20000,"ended_ms_ago":20000}},{"name":"b"}],
            "strays":[{"pid":9,"name":"z","child":null}],"stray_count":1}
            """#
        let report = StatusReport(try JSONParser.parse(Array(answer.utf8)))
        func words(_ name: String) -> [String] {
            report.strayWords(of: [name]) { $0 == 9 ? .seconds(age) : .seconds(10) }
        }
        let expected = ["a process left its run, and nothing tells whose: see `nexusctl status`"]
        #expect(words("a") == (concerns ? expected : []))
        #expect(words("b") == [])
    }

    @Test(
        arguments: [
            (
                "the agent takes turns; no page: 127.0.0.1:4791 is in use; choose another port",
                "no page: 127.0.0.1:4791 is in use; choose another port"
            ),
            ("no page: x", "no page: x"), ("the agent takes turns; page at http://a", nil),
        ] as [(String, String?)])
    func pageThatIsNotServed_isTold(_ status: String, _ words: String?) throws {
        let answer =
            #"{"children":[{"name":"c","executable":"/x/chat-bridge","status":"\#(status)"},{"name":"d","status":"no page: y"}]}"#
        let report = StatusReport(try JSONParser.parse(Array(answer.utf8)))
        #expect(report.children.map(\.pageTrouble) == [words, nil])
    }

    @Test func answerOfANewerNexusd_isStillShown() throws {
        let report = StatusReport(try JSONParser.parse(Array(#"{"children":[{"name":"a","state":"dreaming"}]}"#.utf8)))
        #expect(report.table(user: nil, for: .plain).contains("a     dreaming  -"))
    }
}

@Suite(.timeLimit(.minutes(1)))
struct WhyTests {
    @Test func why_saysHowItEndedAndWhatComesNext() throws {
        let answer = #"""
            {"child":{"name":"bad","group":null,"state":"parked","since_ms":9000,"cause":"crash","next_try_ms":840000,"restarts":12,"unstable_runs":12,
            "executable":"/bin/bad","last_end":{"run":"6743f2a1-9","cause":"crash","exit":"exit 1","ran_ms":12,"ended_ms_ago":9100}},
            "rule":"12 unstable runs in a row park it","next":"slow retry in 14 min","gives_up":null,"last_lines":["cannot open x","\u001b[2Jbye"]}
            """#
        let expected = """
            bad is parked since 9 s: crash: exit 1; slow retry in 14 min
              executes /bin/bad
              last end exit 1 (cause crash), after 12 ms, 9.1 s ago; run 6743f2a1-9
              restarts 12, unstable in a row 12
              rule     12 unstable runs in a row park it
              next     slow retry in 14 min
              do       mend what its last lines tell of (`nexusctl logs bad`), then `nexusctl start bad`
              its last lines:
                cannot open x
                bye

            """
        #expect(WhyText(try JSONParser.parse(Array(answer.utf8))).text(for: .plain) == expected)
    }

    @Test func why_isFoldedBetweenWords() throws {
        let answer = #"""
            {"child":{"name":"bad","group":null,"state":"parked","since_ms":9000,"cause":"crash","next_try_ms":840000,"restarts":1,"unstable_runs":1,
            "last_end":{"run":"6743f2a1-9","cause":"crash","exit":"exit 1","ran_ms":12,"ended_ms_ago":9100}},
            "last_lines":["one two three four five six seven eight nine ten"]}
            """#
        let json = try JSONParser.parse(Array(answer.utf8))
        let text = WhyText(json).text(for: Terminal(colour: true, columns: 40))
        #expect(
            text.hasPrefix(
                "\u{1B}[1mbad\u{1B}[0m is \u{1B}[31mparked\u{1B}[0m since 9 s: crash: exit 1;\n  slow retry in 14 min\n"
            ),
            "\(text)")
        #expect(text.hasSuffix("    one two three four five six seven\n      eight nine ten\n"), "\(text)")
    }

    @Test(arguments: [("a-1", "which ended"), ("a-2", "which is there now")])
    func lastLines_sayOfWhichRunTheyAre(_ run: String, _ which: String) throws {
        let answer = #"""
            {"child":{"name":"a","group":null,"state":"ready","run":"a-2","restarts":1,"unstable_runs":0},
            "last_lines":["x"],"last_lines_run":"\#(run)"}
            """#
        let text = WhyText(try JSONParser.parse(Array(answer.utf8))).text(for: .plain)
        #expect(text.hasSuffix("  its last lines, of run \(run), \(which):\n    x\n"), "\(text)")
    }
}

@Suite(.timeLimit(.minutes(1)))
struct ChildWordsTests {
    @Test(arguments: [
        (
            #""state":"waiting","waits_for":"db","awaits":"db, which is starting (`requires`)""#,
            "waits for db, which is starting (`requires`)"
        ),
        (#""state":"waiting","waits_for":"db""#, "waits for db"),
        (
            #""state":"starting","awaits":"READY=1 on its notify socket","limit_ms":4200"#,
            "waits for READY=1 on its notify socket; 4.2 s left"
        ),
        (#""state":"starting","awaits":"its turn to be started""#, "waits for its turn to be started"),
        (#""state":"stopping","cause":"asked","limit_ms":9000"#, "stopping: asked; killed in 9 s"),
        (
            #""state":"stopping","cause":"recycled","awaits":"its word `drained` on the bus","limit_ms":9000"#,
            "stopping: recycled; waits for its word `drained` on the bus; 9 s left"
        ),
        (
            #""state":"ready","recycle":{"above_bytes":67108864,"not_before_ms":40000,"within_ms":1800000,"when_idle":true}"#,
            "grown above 64 MiB: replaced when idle, not before 40 s, in 30 min at the latest"
        ),
        (
            #""state":"ready","recycle":{"above_bytes":67108864,"not_before_ms":40000,"within_ms":40000,"when_idle":false}"#,
            "grown above 64 MiB: replaced in 40 s"
        ),
        (
            #""state":"ready","recycle":{"above_bytes":null,"not_before_ms":0,"within_ms":60000,"when_idle":true}"#,
            "a fresh run is asked for: replaced when idle, in 60 s at the latest"
        ),
        (#""state":"off","enabled":true"#, "stopped by a worker; nexusctl start ?"),
        (#""state":"off","enabled":true,"stopped_with_tree":true"#, "stopped with the tree"),
        (#""state":"off","enabled":false"#, "off in the configuration; nexusctl start ?"),
        (
            #""state":"off","enabled":false,"started_by":"keeper""#,
            "off until keeper starts it; nexusctl why keeper"
        ),
        (
            #""state":"off","enabled":false,"started_by":"tunnel-worker""#,
            "off until tunnel-worker starts it; nexusctl tunnel"
        ),
        (
            #""state":"ready","enabled":false,"choice":"on","started_by":"tunnel-worker""#,
            "on by command; nexusctl tunnel"
        ),
        (
            #""state":"parked","cause":"dependency","waits_for":"db","next_try_ms":60000"#,
            "its group is parked because of db; slow retry in 60 s"
        ),
        (#""state":"ready","scheduled":true,"skipped_runs":2"#, "skipped 2 runs: it ran still"),
        (
            #""state":"scheduled","scheduled":true,"skipped_runs":1,"next_try_ms":3000"#,
            "next run in 3 s; skipped one run: it ran still"
        ),
        (
            #""state":"scheduled","scheduled":true,"enabled":false,"choice":"on","next_try_ms":3000"#,
            "next run in 3 s; on by command; nexusctl reset ?"
        ),
        (
            #""state":"scheduled","scheduled":true,"cause":"probe","next_try_ms":3000,"last_end":{"cause":"probe","exit":"signal 15 (TERM)","detail":"not ready within 5 s"}"#,
            "probe: not ready within 5 s; next run in 3 s"
        ),
    ])
    func statusColumn_saysWhatItIsAbout(members: String, words: String) throws {
        #expect(ChildStatus(try JSONParser.parse(Array("{\(members)}".utf8))).words == words)
    }

    @Test func whatIsBuiltIn_hasNoSettings() throws {
        let answer = #"{"child":{"name":"log-writer","state":"ready"},"built_in":true,"settings":[],"config":"/c"}"#
        let text = WhyText(try JSONParser.parse(Array(answer.utf8)), file: "").text(for: .plain)
        #expect(
            text.contains(
                "  setting  none: log-writer is built in and has no table of its own; [log] says what it keeps\n"))
    }
}

@Suite(.timeLimit(.minutes(1)))
struct SettingPlaceTests {
    private static let file = """
        [supervisor]
        [child.web]
        command = ["x"]
        delay = { first = "1s", park-after = 3 }
          start-timeout = "5s"
        [child.db]
        # start-timeout = "9s"
        delay.cap = "2s"
        [child.db.delay]
        slow-retry = "never"
        [ child . "api" ]
        restart="never"
        [group.g]
        intensity = { restarts = 2, window = "1min" }
        [[child.api.sockets]]
        name = "web"
        [secret.token]
        file = "/etc/token"
        """

    @Test(arguments: [
        ("child.web.start-timeout", SettingPlace.written(line: 5)), ("child.web.delay.park-after", .written(line: 4)),
        ("child.web.delay.cap", .table(line: 4)), ("child.db.start-timeout", .table(line: 6)),
        ("child.db.delay.cap", .written(line: 8)), ("child.db.delay.slow-retry", .written(line: 10)),
        ("child.api.restart", .written(line: 12)), ("child.gone.restart", .missing), ("child", .missing),
        ("group.g.intensity.window", .written(line: 14)), ("group.g.slow-retry", .table(line: 13)),
        ("child.api.sockets", .written(line: 15)), ("secret.token.file", .written(line: 18)),
    ])
    func key_isFoundByItsShape(key: String, place: SettingPlace) {
        #expect(SettingPlace(of: key, in: Self.file) == place)
    }
}
