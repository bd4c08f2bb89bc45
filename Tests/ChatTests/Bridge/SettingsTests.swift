import Chat
import Testing

@testable import chat_bridge

/// What chat-bridge reads out of its environment.
struct SettingsTests {
    @Test(arguments: [
        ("NEXUS_AGENT", "{agent}"), ("NEXUS_WORKSPACES", "{workspaces}"), ("NEXUS_CHAT_KEEP", "{chat-keep}"),
    ])
    func variableThatHoldsSomethingElse_isRefusedWithItsTextInTheFile(_ name: String, _ text: String) {
        let failure = #expect(throws: (any Error).self) { try Settings([name: "7 days"]) }
        let words = failure.map { "\($0)" } ?? ""
        #expect(words.contains(name) && words.contains(text), "\(words)")
    }

    @Test func withoutVariables_nothingIsBounded() throws {
        let settings = try Settings([:])
        #expect(settings.ceiling == DailyCeiling() && !settings.retention.isBounded && settings.workspaces.names == nil)
    }

    @Test func oneVariable_mayTellTwoThings() throws {
        let settings = try Settings(["NEXUS_CHAT_KEEP": #"{"total-bytes":5,"attachment-bytes":7}"#])
        #expect(settings.retention.total == 5 && settings.attachments.file == 7)
    }
}
