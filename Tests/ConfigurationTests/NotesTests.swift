import Testing

@testable import NexusConfiguration

/// What is accepted, and may be meant otherwise.
@Suite(.timeLimit(.minutes(1))) struct NotesTests {
    private func notes(_ more: String, _ host: FakeMachine = FakeMachine()) throws -> [String] {
        try host.parse("[child.a]\ncommand = [\"/bin/true\"]\n\(more)\n").plan.notes
    }

    /// A directory that the child's user may not enter is a note: its bits are not all there is.
    @Test func closedDirectory_isNoted() throws {
        var host = FakeMachine.root
        host.files["/closed"] = FileStatus(kind: .directory, mode: 0o700, owner: 0, group: 0)
        host.files["/closed/in"] = FileStatus(kind: .directory, mode: 0o755, owner: 0, group: 0)
        func notes(_ more: String) throws -> [String] { try self.notes(more, host) }
        let words =
            "'a' cannot start: '/closed', on the way to its directory, is closed to 'web'; let that user in, or correct"
        for path in ["/closed", "/closed/in"] {
            #expect(
                try notes("directory = \"\(path)\"\nuser = \"web\"").contains { $0.hasPrefix(words) }, "\(path)")
        }
        #expect(try !notes("directory = \"/closed\"").contains { $0.contains("closed") })
        #expect(try !notes("directory = \"/srv\"\nuser = \"web\"").contains { $0.contains("closed") })
    }

    /// What runs has a copy of it, and it may come later: nothing is refused for it.
    @Test(
        arguments: [
            (nil, "there is no file /srv/c"), (" \n", "/srv/c is empty"), ("[1]", "/srv/c is no JSON object"),
            (#"{"AccountTag":"a","TunnelID":"x"}"#, "TunnelSecret is missing in /srv/c"),
            (
                #"{"accounttag":"a","TunnelSecret":"s","TunnelID":"6ff42ae2-765d-4adf-8112-31c55c155000"}"#,
                "/srv/c is of the tunnel 6ff42ae2-765d-4adf-8112-31c55c155000, and 'id' is 6ff42ae2-765d-4adf-8112-31c55c1551ef"
            ),
            (#"{"AccountTag":"a","TunnelSecret":"s","TunnelID":"6FF42AE2-765d-4adf-8112-31c55c1551ef"}"#, nil),
        ] as [(String?, String?)])
    func fileOfTheTunnel_thatTunnelWorkerWouldRefuse_isNotedAtItsLine(_ text: String?, _ words: String?) throws {
        let host = text.map { FakeMachine().adding("/srv/c", $0, mode: 0o600) } ?? FakeMachine()
        func passing(_ mode: String) throws -> [Passing] {
            try host.parse(
                """
                [child.a]
                command = ["/bin/true"]
                [chat]
                url = "https://chat.example.invalid"
                [tunnel]
                mode = "\(mode)"
                id = "6ff42ae2-765d-4adf-8112-31c55c1551ef"
                credentials-file = "/srv/c"
                """
            ).passing
        }
        let place = "Supervisor.toml:8: 'credentials-file' of [tunnel]: "
        for (mode, matters) in [("named", true), ("off", false)] {
            let found = try passing(mode)
            #expect(found.count == (words == nil ? 0 : 1), "\(found)")
            #expect(found.allSatisfy { $0.words.hasPrefix(place + (words ?? "")) && $0.matters == matters }, "\(found)")
        }
    }

    @Test func emptyTokenFile_isNoted() throws {
        let host = FakeMachine().adding("/srv/t", "", mode: 0o600)
        let found = try host.parse(
            "[child.a]\ncommand = [\"/bin/true\"]\n[tunnel]\nmode = \"token\"\ntoken-file = \"/srv/t\"\n"
        ).passing
        #expect(
            found.map(\.words) == [
                "Supervisor.toml:5: 'token-file' of [tunnel]: /srv/t is empty; tunnel-worker takes it when it is mended"
            ])
    }

    /// log-writer and nexus-probe are in no file.
    @Test func whatIsCounted_isInTheFile() throws {
        func words(_ text: String) throws -> String { PlanCounts(try FakeMachine().parse(text).plan).words }
        let probed = "command = [\"/bin/true\"]\nliveness = { http = \"http://127.0.0.1:80/\" }\n"
        #expect(try words("[child.a]\n\(probed)") == "1 child")
        let more = "[child.b]\ncommand = [\"/bin/true\"]\n[group.g]\nchildren = [\"a\"]\n"
        #expect(try words("[child.a]\n\(probed)\(more)") == "2 children, 1 of them in 1 group")
    }

    @Test func variableThatLooksLikeAKey_orLikeAShells_isNoted() throws {
        let said = try notes("[child.a.environment]\nrestart = \"never\"\nPATH = \"/opt/x:$PATH\"\nB = \"$x\"")
        #expect(
            said.contains(
                "'restart' in 'environment' of 'a' is a variable; the key of that name stands above the table"))
        #expect(said.contains("'PATH' in 'environment' of 'a' is taken as it is written: nothing is expanded in it"))
        #expect(!said.contains { $0.contains("'B'") })
    }
}
