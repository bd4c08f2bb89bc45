import Foundation
import Testing

/// `nexusctl password`: set at a terminal or from a pipe, never in a command line.
@Suite(.timeLimit(.minutes(3))) struct PasswordScenarios {
    private func sit(at box: Box) throws -> Typist {
        try Typist(
            Programs.path("nexusctl"), ["password"],
            environment: [
                "NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state, "HOME": box.directory,
                "TERM": "xterm",
            ])
    }

    private func isSet(_ box: Box) throws -> Bool {
        try box.ctl("password", "--show", "--json").output.contains(#""set":true"#)
    }

    @Test func passwordTypedTwice_isSet_andShownNowhere() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        #expect(try !isSet(box))
        let typist = try sit(at: box)
        try typist.until("the question") { $0.seen.contains("New password: ") && $0.isRaw }
        typist.type("corrext\u{7F}\u{7F}ct horse\r")
        try typist.until("the second question") { $0.seen.contains("again: ") && $0.isRaw }
        typist.type("correct horse\r")
        try typist.until("the outcome") { $0.seen.contains("needs the password") }
        #expect(typist.wait() == 0 && !typist.isRaw)
        #expect(!typist.seen.contains("horse"))
        #expect(try isSet(box))
        try box.waitLog("chat-bridge", "access: the password was set by nexusctl")
        #expect(try !box.ctl("logs").output.contains("horse"))
        #expect(try box.ctl("password", "--remove").status == 0)
        #expect(try !isSet(box))
        #expect(box.stop() == 0)
    }

    @Test func twoDifferentOnes_orCtrlC_changeNothing() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let careless = try sit(at: box)
        try careless.until("the question") { $0.seen.contains("New password: ") && $0.isRaw }
        careless.type("correct horse\r")
        try careless.until("the second question") { $0.seen.contains("again: ") && $0.isRaw }
        careless.type("correct house\r")
        #expect(careless.wait() == 2 && !careless.isRaw)
        let leaving = try sit(at: box)
        try leaving.until("the question") { $0.seen.contains("New password: ") && $0.isRaw }
        leaving.type("corr\u{3}")
        #expect(leaving.wait() == 130 && !leaving.isRaw)
        #expect(try !isSet(box))
        #expect(box.stop() == 0)
    }

    @Test func firstLineOfAPipe_isTaken_aShortOneIsRefused() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let short = try box.ctl("password", input: "short\n")
        #expect(short.status == 2 && short.errors.contains("8 to 256 bytes"), "\(short.errors)")
        #expect(try !isSet(box))
        #expect(try box.ctl("password", input: "correct horse\nand more\n").status == 0)
        #expect(try isSet(box))
        #expect(box.stop() == 0)
    }
}
