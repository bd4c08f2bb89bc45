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

    @Test func variableThatLooksLikeAKey_orLikeAShells_isNoted() throws {
        let said = try notes("[child.a.environment]\nrestart = \"never\"\nPATH = \"/opt/x:$PATH\"\nB = \"$x\"")
        #expect(
            said.contains(
                "'restart' in 'environment' of 'a' is a variable; the key of that name stands above the table"))
        #expect(said.contains("'PATH' in 'environment' of 'a' is taken as it is written: nothing is expanded in it"))
        #expect(!said.contains { $0.contains("'B'") })
    }
}
