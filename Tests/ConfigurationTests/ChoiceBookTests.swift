import Foundation
import Plan
import SupervisorCore
import Testing

@testable import NexusConfiguration

@Suite(.timeLimit(.minutes(1))) final class ChoiceBookTests {
    private let state = "/tmp/nexus-choices-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    private var book: ChoiceBook { ChoiceBook(PlanStore(state: state)) }

    init() throws { try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: state) }

    private func plan() -> Plan {
        Plan(children: ["web", "db"].map { ChildPlan(name: $0, executable: "/bin/\($0)", arguments: [Text($0)]) })
    }

    private func text(_ name: String = "choices") throws -> String {
        try String(contentsOfFile: state + "/" + name, encoding: .utf8)
    }

    /// The choices that a plan gets, and what is said.
    private func applied(mayRepair: Bool = true) throws -> (choices: [Choice?], notes: [String]) {
        var plan = plan()
        let notes = try book.apply(to: &plan, mayRepair: mayRepair)
        return (plan.children.map(\.choice), notes)
    }

    @Test func logWriterThatWasOnceSwitchedOff_isNot_andSoIsSaidOnce() throws {
        #expect(try book.record(["log-writer=off", "web=off"]) == nil)
        var plan = plan()
        plan.children.insert(
            ChildPlan(name: "log-writer", role: .logWriter, executable: "/bin/log-writer", arguments: []), at: 0)
        let note = "the recorded choice 'log-writer off' is ignored: what children say is always kept"
        #expect(try book.apply(to: &plan, mayRepair: false) == [note])
        #expect(plan.children.map(\.choice) == [nil, .off, nil])
        #expect(try book.apply(to: &plan, mayRepair: true) == [note])
        #expect(try book.apply(to: &plan, mayRepair: true) == [])
        #expect(plan.children.map(\.choice) == [nil, .off, nil])
        plan.children[0].choice = .off
        #expect(plan.choices.count == 1, "as last-good of an earlier version may have it")
    }

    @Test func noFile_isNoChoice() throws {
        #expect(try applied().choices == [nil, nil])
        #expect(try applied().notes.isEmpty)
    }

    @Test func recordedChoices_areMerged_andUndone() throws {
        #expect(try book.record(["web=off", "elsewhere=on"]) == nil)
        #expect(try text() == "nexus choices 1\nelsewhere on\nweb off\nend 2\n")
        #expect(try applied().choices == [.off, nil])
        #expect(try book.record(["web=file", "db=on"]) == nil)
        #expect(try applied().choices == [nil, .on])
        // A child that is in no plan now may come back.
        #expect(try text().contains("elsewhere on"))
    }

    @Test func lastGood_getsTheChoices_andKeepsItsChecksum() throws {
        let store = PlanStore(state: state)
        try store.keep(plan().encoded())
        _ = try book.record(["web=off"])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: state + "/last-good"))
        #expect(try Plan(encoded: Array(bytes)).children.map(\.choice) == [.off, nil])
    }

    @Test func damagedLastGood_staysAsItIs() throws {
        try Data("rubbish".utf8).write(to: URL(fileURLWithPath: state + "/last-good"))
        _ = try book.record(["web=off"])
        #expect(try text("last-good") == "rubbish")
    }

    @Test(arguments: [
        "", "nexus choices 2\nend 0\n", "nexus choices 1\nweb off\n", "nexus choices 1\nweb off\nend 2\n",
        "nexus choices 1\nweb maybe\nend 1\n", "nexus choices 1\nweb off\nweb on\nend 2\n",
        "nexus choices 1\nWeb off\nend 1\n", "nexus choices 1\nweb off\nend 1",
    ])
    func damagedFile_isMovedAside_andSaid(content: String) throws {
        try Data(content.utf8).write(to: URL(fileURLWithPath: state + "/choices"))
        // A look changes nothing.
        #expect(try applied(mayRepair: false).notes.count == 1)
        #expect(try text() == content)
        let (choices, notes) = try applied()
        #expect(choices == [nil, nil])
        #expect(notes.count == 1 && notes[0].contains("line ") && notes[0].contains("choices.damaged"), "\(notes)")
        #expect(try text("choices.damaged") == content)
        #expect(!FileManager.default.fileExists(atPath: state + "/choices"))
        #expect(try applied().notes.isEmpty)
    }

    @Test func recordOverADamagedFile_saysSo_andIsWritten() throws {
        try Data("rubbish".utf8).write(to: URL(fileURLWithPath: state + "/choices"))
        #expect(try book.record(["web=off"])?.contains("choices.damaged") == true)
        #expect(try applied().choices == [.off, nil])
    }

    @Test(arguments: ["web", "web=maybe", "=on", "We b=on", ""])
    func wordThatIsNoChoice_isRefused_andNothingIsWritten(word: String) {
        #expect(throws: PlanStore.Failure.self) { try book.record([word]) }
        #expect(!FileManager.default.fileExists(atPath: state + "/choices"))
    }

    @Test func fileThatOthersMayWrite_isRefused_andLeftAsItIs() throws {
        _ = try book.record(["web=off"])
        let before = try text()
        let path = state + "/choices"
        #expect(chmod(path, 0o666) == 0)
        for mayRepair in [false, true] {
            let error = #expect(throws: PlanStore.Failure.self) { try applied(mayRepair: mayRepair) }
            #expect(error?.description == "'\(path)': everybody may write this file: chmod o-w it")
        }
        #expect(throws: PlanStore.Failure.self) { try book.record(["web=on"]) }
        #expect(try text() == before && !FileManager.default.fileExists(atPath: state + "/choices.damaged"))
        #expect(chmod(path, 0o600) == 0)
        #expect(try applied().choices == [.off, nil])
        guard geteuid() == 0 else { return }
        #expect(chown(path, 12_345, 12_345) == 0)
        let error = #expect(throws: PlanStore.Failure.self) { try applied() }
        #expect(error?.description.contains("belongs to uid 12345") == true)
    }

    @Test func lastGoodThatOthersMayWrite_isNotMadeATrustedOne() throws {
        try PlanStore(state: state).keep(plan().encoded())
        #expect(chmod(state + "/last-good", 0o666) == 0)
        _ = try book.record(["web=off"])
        var status = stat()
        #expect(stat(state + "/last-good", &status) == 0 && status.st_mode & 0o777 == 0o666)
    }
}
