import ControlClient
import Testing

@Suite(.timeLimit(.minutes(1)))
struct AgentTests {
    @Test(arguments: [
        ("/srv/site", "-/srv/site"), ("/srv/a b", "\"-/srv/a b\""), ("/srv/100%", "-/srv/100%%"),
        ("/srv/back\\slash", "\"-/srv/back\\\\slash\""), ("/srv/a:b", "\"-/srv/a:b\""),
        ("/srv/say \"hi\"", "'-/srv/say \"hi\"'"), ("/srv/it's", "\"-/srv/it's\""), ("/srv/größe", "\"-/srv/größe\""),
        ("/srv/$x", "\"-/srv/$x\""), ("/srv/a;b", "\"-/srv/a;b\""),
    ])
    func path_isOneWordForSystemd_andReadAgain(path: String, word: String) throws {
        #expect(try UnitDropIn.quoted(path) == word)
        var unit = UnitDropIn("")
        let isAdded = try unit.add(path)
        #expect(isAdded)
        let again = UnitDropIn(unit.text)
        #expect(again.paths == [path] && again == unit && !again.isEmpty)
    }

    @Test(arguments: ["relative", "/srv/a\nb", "/srv/a\tb", "/srv/\u{7F}", "/srv/'\"", "/srv/\u{FFFD}"])
    func path_thatNoUnitFileHolds_isRefused(path: String) {
        #expect(throws: UnitDropIn.Unwritable.self) { try UnitDropIn.quoted(path) }
    }

    @Test(arguments: [
        ("/home/alice/project", "BindPaths"), ("/root/x", "BindPaths"), ("/run/user/1000/x", "BindPaths"),
        ("/homes/x", "ReadWritePaths"), ("/srv/home", "ReadWritePaths"),
    ])
    func setting_goesByWhereItLies(path: String, setting: String) throws {
        #expect(UnitDropIn.Setting(of: path).rawValue == setting)
    }

    @Test func dropIn_keepsWhatItIsNotAskedAbout() throws {
        let text = """
            # mine
            [Unit]
            After=remote-fs.target
            [Service]
            LimitNOFILE=4096
            ReadWritePaths=/one /two
            ReadWritePaths=-/srv/site

            """
        var unit = UnitDropIn(text)
        #expect(unit.paths == ["/srv/site"])
        let isAddedTwice = try unit.add("/srv/site")
        #expect(!isAddedTwice && unit.text == text)
        let isAdded = try unit.add("/home/a/b c")
        #expect(isAdded && unit.text == text + "BindPaths=\"-/home/a/b c\"\n")
        let removals = [unit.remove("/srv/site"), unit.remove("/srv/site"), unit.remove("/home/a/b c")]
        #expect(removals == [true, false, true])
        #expect(unit.text == text.replacing("ReadWritePaths=-/srv/site\n", with: ""))
    }

    @Test func dropIn_ofAnotherSection_getsItsOwn_andAnEmptyOneIsNone() throws {
        var other = UnitDropIn("[Unit]\nAfter=x.mount\n")
        _ = try other.add("/srv/a")
        #expect(other.text == "[Unit]\nAfter=x.mount\n[Service]\nReadWritePaths=-/srv/a\n")
        var own = UnitDropIn("")
        _ = try own.add("/srv/a")
        #expect(!own.isEmpty)
        _ = own.remove("/srv/a")
        #expect(own.isEmpty)
    }

    @Test(arguments: [
        ("/srv/site", "/srv/site"), ("/srv/a b", "'/srv/a b'"), ("it's", "'it'\\''s'"), ("", "''"), ("$x", "'$x'"),
    ])
    func path_isOneWordForAShell(path: String, word: String) {
        #expect(path.shellWord == word)
    }

    @Test func line_isTOML() {
        let list = AgentWorkspaces([.init(name: "home", path: "/a"), .init(name: "x", path: "/b \"c\" \\d")])
        #expect(
            list.line
                == #"workspaces = [{ name = "home", path = "/a" }, { name = "x", path = "/b \"c\" \\d" }]"#)
    }

    @Test(arguments: [
        ("/srv/My Site", "my-site"), ("/srv/site", "site"), ("/srv/..x", "x"), ("/srv/größe", "gr--e"), ("/", nil),
        ("/srv/日本", nil), ("/srv/-a-", "a"),
        ("/srv/" + String(repeating: "ab", count: 40), String(repeating: "ab", count: 16)),
    ])
    func name_comesFromTheDirectory(path: String, name: String?) {
        #expect(AgentWorkspaces.name(for: path) == name)
    }

    @Test(arguments: [
        ("/", true), ("/etc", true), ("/etc/site", true), ("/usr/local/x", true), ("/var", true), ("/home", true),
        ("/var/lib/nexus", true), ("/var/lib/nexus/agent", true), ("/var/lib/nexus-agent/x", false), ("/srv", false),
        ("/home/alice/x", false), ("/run", true), ("/etcetera", false),
    ])
    func place_ofTheSystem_isNoWorkspace(path: String, refused: Bool) {
        #expect((AgentWorkspaces.objection(to: path, kept: ["/var/lib/nexus", "/run/nexus"]) != nil) == refused)
    }

    @Test(arguments: [
        ("1.18.34\n", "1.18.34", 1), ("opencode version v2.1.2 (abc)", "2.1.2", 2),
        ("1.18.34+echo-agent.0.1.0", "1.18.34+echo-agent.0.1.0", 1), ("0.15.3", "0.15.3", 0),
    ])
    func version_isTheFirstThatIsOne(output: String, text: String, major: Int) {
        let version = ProgramVersion(output)
        #expect(version?.text == text && version?.major == major)
    }

    @Test(arguments: ["", "hello", "1.2", "a.b.c", "1..2", "1.2.x"]) func noVersion_isNone(output: String) {
        #expect(ProgramVersion(output) == nil)
    }

    @Test func form_isToldByTheFirstBytes() {
        let elf: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9) + [2, 0]
        #expect(ProgramForm(elf + [62, 0]) == .program(.init(width: 2, order: 1, number: 62)))
        #expect(ProgramForm.Machine(width: 2, order: 1, number: 183).name == "aarch64, 64 bits")
        #expect(ProgramForm(elf) == .other && ProgramForm([]) == .other && ProgramForm(Array("hello".utf8)) == .other)
        #expect(ProgramForm(Array("#!/bin/sh -e\n".utf8)) == .script(interpreter: "/bin/sh"))
        #expect(ProgramForm(Array("#!sh\n".utf8)) == .other && ProgramForm(Array("#!\n".utf8)) == .other)
    }
}
