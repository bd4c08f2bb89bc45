import Testing

@testable import NexusConfiguration

/// nexusd of the package's unit sees nobody's home: what is said not to be there may well be.
@Suite struct HiddenHomeTests {
    private func said(_ text: String) -> String { FakeMachine().diagnostics(text) }

    @Test(arguments: ["/home/bob/project", "/root/project", "/run/user/0/project"])
    func workspaceInAHomeThatIsNotSeen_saysThatTheUnitHidesIt(path: String) {
        let words = said(
            "[agent]\nworkspaces = [{ name = \"a\", path = \"\(path)\" }]\n[child.a]\ncommand = [\"/bin/true\"]\n")
        #expect(
            words.contains("there is no directory '\(path)'; make it or correct the path. Where nexus.service"),
            "\(words)")
        #expect(words.contains("nexusctl agent workspace add") && words.contains("systemctl restart nexus"))
    }

    @Test func programInAHomeThatIsNotSeen_saysThatTheUnitHidesIt() {
        let words = said("[child.a]\ncommand = [\"/root/.opencode/bin/opencode\", \"serve\"]\n")
        #expect(words.contains("there is no program '/root/.opencode/bin/opencode'"), "\(words)")
        #expect(words.contains("homes are hidden from it") && words.contains("nexusctl agent install PATH"))
    }

    /// A home that is seen is not hidden, and nobody hides what lies elsewhere.
    @Test(arguments: ["/home/ann/project", "/srv/project"])
    func missingElsewhere_saysNothingOfTheUnit(path: String) {
        let words = said(
            "[agent]\nworkspaces = [{ name = \"a\", path = \"\(path)\" }]\n[child.a]\ncommand = [\"\(path)/bin/a\"]\n")
        #expect(words.contains("there is no directory") && words.contains("there is no program"), "\(words)")
        #expect(!words.contains("hidden"))
    }
}
