import Foundation
import Testing

/// What nexusctl says while nobody answers: a nexusd that is gone, and one that is not up yet.
@Suite(.timeLimit(.minutes(2))) struct AbsenceScenarios {
    private func killed(_ box: Box) {
        box.signal(SIGKILL)
        #expect(box.waitForEnd() == -SIGKILL)
    }

    /// A child that is deaf to SIGTERM holds the next nexusd up for two seconds.
    @Test func nexusdThatEndsTheLeftOver_isSaidToStart_andWithWhat() throws {
        let box = try Box("[child.deaf]\ncommand = [\"FIXTURE\", \"ignore-term\"]\nPIDS\n")
        try box.start()
        try box.waitReady()
        try box.wait("the deaf child") { _ in !box.registered().isEmpty }
        killed(box)
        #expect(try box.ctl("status").errors.contains("no supervisor is running"))
        try box.launch()
        var said = ""
        let deadline = ContinuousClock.now + .seconds(20)
        // First it reads its file: what is refused touches nothing that was left.
        while !said.contains("it ends "), ContinuousClock.now < deadline {
            let answer = try box.ctl("status")
            said = answer.errors
            guard answer.status != 0 else { break }
            #expect(answer.status == 3)
        }
        #expect(said.hasPrefix("nexusctl: nexusd (pid \(box.pid)) is starting, and answers when that is done: "))
        #expect(said.contains("it ends ") && said.contains("that an earlier nexusd left behind"), "\(said)")
        #expect(said.contains("nexusctl wait") && !said.contains("start it again"), "\(said)")
        #expect(try box.ctl("wait").status == 0)
        #expect(box.stop() == 0)
    }

    @Test func screenOfAKilledNexusd_saysSinceWhen_andComesBack() throws {
        let box = try Box("[child.web]\ncommand = [\"FIXTURE\", \"serve\"]\nPIDS\n")
        try box.start()
        try box.waitReady()
        let screen = try Typist(
            Programs.path("nexusctl"), ["status", "--watch"],
            environment: ["NEXUS_RUNTIME_DIRECTORY": box.runtime, "TERM": "xterm", "HOME": box.directory])
        try screen.until("a picture") { $0.seen.contains("web") && $0.seen.contains("q quits") }
        killed(box)
        try screen.until("the word that it is gone") { $0.seen.contains("NO NEXUSD since ") }
        try screen.until("the whole picture") { $0.seen.contains("waiting for it · q quits") }
        screen.forget()
        try box.start()
        try screen.until("the new nexusd") { screen in
            // Of the last picture that is whole.
            let pictures = screen.seen.components(separatedBy: "\u{1B}[H").dropLast()
            return pictures.last.map { $0.contains("pid \(box.pid)") && !$0.contains("NO NEXUSD") } ?? false
        }
        screen.type("q")
        #expect(screen.wait() == 0)
        #expect(box.stop() == 0)
    }
}
