import ControlClient
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TextTests {
    @Test(arguments: [
        (0, "0 s"), (49, "0 s"), (50, "0.1 s"), (240, "0.2 s"), (1000, "1 s"), (1640, "1.6 s"), (9940, "9.9 s"),
        (9950, "10 s"), (12_300, "12 s"), (59_999, "60 s"), (90_000, "90 s"), (119_499, "119 s"), (119_500, "2 min"),
        (180_000, "3 min"), (899_000, "15 min"), (3_600_000, "60 min"), (7_170_000, "2 h"), (170_999_999, "47 h"),
        (171_000_000, "2 d"), (172_800_000, "2 d"), (-5, "0 s"),
    ])
    func duration_isSpokenInOneUnit(_ milliseconds: Int, _ words: String) {
        #expect(Duration.milliseconds(milliseconds).spoken == words)
    }

    @Test func shortDurations_areSpokenInMilliseconds_whereTheyAreAllThereIs() {
        for (milliseconds, words) in [(-5, "0 ms"), (0, "0 ms"), (3, "3 ms"), (999, "999 ms"), (1000, "1 s")] {
            #expect(Duration.milliseconds(milliseconds).spokenFinely == words)
        }
    }

    @Test func spokenDuration_isRead() {
        #expect(Duration(spoken: "250ms") == .milliseconds(250))
        #expect(Duration(spoken: "30") == .seconds(30))
        #expect(Duration(spoken: "10min") == .seconds(600))
        #expect(Duration(spoken: "10 min") == .seconds(600))
        #expect(Duration(spoken: "2h") == .seconds(7200))
        for bad in ["", "s", "-1s", "1w", "1.5s", "99999999999999999999s", "999999d", "٣s"] {
            #expect(Duration(spoken: bad) == nil, "\(bad)")
        }
    }

    @Test func wallTime_isReadFromRFC3339() throws {
        #expect(WallTime(rfc3339: "1970-01-01T00:00:00Z")?.seconds == 0)
        #expect(WallTime(rfc3339: "2026-11-23T04:20:53Z")?.seconds == 1_795_407_653)
        #expect(WallTime(rfc3339: "2026-11-23T05:20:53+01:00")?.seconds == 1_795_407_653)
        #expect(WallTime(rfc3339: "2026-11-23 04:20:53.25z")?.nanoseconds == 250_000_000)
        #expect(WallTime(rfc3339: "2000-02-29T23:59:59-00:30")?.seconds == 951_870_599)
        for bad in ["", "2026-11-23", "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T04:20:53", "x"] {
            #expect(WallTime(rfc3339: bad) == nil, "\(bad)")
        }
        let text = "2000-02-29T23:59:59.250Z"
        #expect(WallTime(rfc3339: text)?.rfc3339 == text)
        #expect(WallTime(nanosecondsSince1970: -1).rfc3339 == "1969-12-31T23:59:59.999Z")
        let before = WallTime(nanosecondsSince1970: -1)
        #expect(before.seconds == -1 && before.nanoseconds == 999_999_999)
    }

    @Test func textOfOthers_cannotDrawOnTheTerminal() {
        #expect(Terminal.clean("a\u{1B}[31mb\u{7}\u{9B}c\u{202E}d\ne") == "ab··d·e")
        #expect(Terminal.clean("a\n\tb", keepNewlines: true) == "a\n\tb")
        #expect(Terminal.clean("grün ✓") == "grün ✓")
    }

    @Test func lastColumn_isCutAtTheEdgeOfTheTerminal() {
        var table = TextTable(rightAligned: [1])
        table.append([.init("name"), .init("7"), .init("a long text")])
        table.append([.init("n"), .init("4711"), .init("short")])
        #expect(table.rendered(for: .plain) == "name     7  a long text\nn     4711  short\n")
        let narrow = Terminal(colour: false, columns: 18)
        #expect(table.rendered(for: narrow) == "name     7  a lon…\nn     4711  short\n")
    }

    @Test func lastColumn_thatIsToBeFolded_goesOnBelowItself() {
        var table = TextTable(foldsLast: true)
        table.append([.init("bad", .bold), .init("tunnel"), .init("something is wrong with it")])
        table.append([.init("good", .bold), .init("agent"), .init("well")])
        let narrow = Terminal(colour: false, columns: 30)
        #expect(
            table.rendered(for: narrow)
                == "bad   tunnel  something is\n              wrong with it\ngood  agent   well\n")
        #expect(!table.rendered(for: .plain).contains("\n   "))
    }

    @Test func locations_followOptionsThenVariablesThenTheUsersPlaces() throws {
        func resolve(_ state: String?, _ runtime: String?, root: Bool, _ variables: [String: String]) throws
            -> Locations
        {
            try .resolve(state: state, runtime: runtime, isRoot: root, current: "/here") { variables[$0] }
        }
        let system = Locations(state: "/var/lib/nexus", runtime: "/run/nexus")
        #expect(try resolve(nil, nil, root: true, ["HOME": "/root", "XDG_RUNTIME_DIR": "/x"]) == system)
        let user = Locations(state: "/home/a/.local/state/nexus", runtime: "/home/a/.local/state/nexus/run")
        #expect(try resolve(nil, nil, root: false, ["HOME": "/home/a"]) == user)
        let given = Locations(state: "/here/s", runtime: "/r")
        #expect(try resolve("s", "/r", root: false, ["NEXUS_STATE_DIRECTORY": "/other"]) == given)
        let variables = ["NEXUS_RUNTIME_DIRECTORY": "/r", "XDG_STATE_HOME": "/st", "HOME": "relative"]
        #expect(try resolve(nil, nil, root: false, variables) == Locations(state: "/st/nexus", runtime: "/r"))
        #expect(throws: ControlError.self) { try resolve(nil, nil, root: false, [:]) }
    }

    @Test func whoRunsNoSupervisor_asksTheSystems_unlessAnotherWasNamed() throws {
        let own = Locations(state: "/home/a/.local/state/nexus", runtime: "/run/user/1/nexus")
        let system = Locations(state: "/var/lib/nexus", runtime: "/run/nexus")
        func resolve(_ runtime: String?, _ variables: [String: String], there: Set<String>) throws -> Locations {
            try .resolve(
                runtime: runtime, isRoot: false, current: "/here", isThere: { there.contains($0) },
                variable: { variables[$0] })
        }
        let variables = ["HOME": "/home/a", "XDG_RUNTIME_DIR": "/run/user/1"]
        #expect(try resolve(nil, variables, there: [system.controlSocket]) == system)
        #expect(try resolve(nil, [:], there: [system.controlSocket]) == system)
        #expect(try resolve(nil, variables, there: [system.controlSocket, own.controlSocket]) == own)
        #expect(try resolve(nil, variables, there: []) == own)
        #expect(try resolve("/r", variables, there: [system.controlSocket]).runtime == "/r")
        let named = variables.merging(["NEXUS_RUNTIME_DIRECTORY": "/n"]) { $1 }
        #expect(try resolve(nil, named, there: [system.controlSocket]).runtime == "/n")
    }

    @Test func longLine_isFoldedBetweenWords_andIndented() {
        let narrow = Terminal(colour: false, columns: 20)
        #expect(narrow.folded("  rule     started again", indent: 6) == "  rule     started\n      again")
        #expect(narrow.folded("short", indent: 6) == "short")
        #expect(
            narrow.folded("a " + String(repeating: "x", count: 30) + " b", indent: 2)
                == "a\n  " + String(repeating: "x", count: 30) + "\n  b", "a word is never cut")
        #expect(Terminal.plain.folded(String(repeating: "x y ", count: 90), indent: 6).contains("\n") == false)
        #expect(Terminal(colour: false, columns: 10).folded("several words here", indent: 6) == "several words here")
    }
}
