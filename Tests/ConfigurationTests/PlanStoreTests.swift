import Foundation
import Plan
import Testing

@testable import NexusConfiguration

@Suite(.timeLimit(.minutes(1))) final class PlanStoreTests {
    let directory = "/tmp/nexus-store-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private var state: String { directory + "/deep/state" }

    private func needed(_ path: String, given: Bool = false) -> NeededDirectory {
        NeededDirectory(path: path, owner: geteuid(), group: getegid(), mode: 0o700, isGiven: given)
    }

    @Test func directories_areMadeWithParentsAndModes() throws {
        let list = [needed(state, given: true), needed(state + "/tmp"), needed(state + "/tmp/web")]
        try PlanStore(state: state).make(list)
        chmod(state, 0o755)
        chmod(state + "/tmp/web", 0o777)
        try PlanStore(state: state).make(list)
        #expect(LiveMachine().status(state)?.mode == 0o755)
        #expect(LiveMachine().status(state + "/tmp/web")?.mode == 0o700)
    }

    @Test func linkInsteadOfADirectory_isNotFollowed() throws {
        let store = PlanStore(state: state)
        try store.make([needed(state, given: true), needed(state + "/tmp")])
        symlink("/etc", state + "/tmp/web")
        #expect(throws: PlanStore.Failure.self) { try store.make([needed(state + "/tmp/web")]) }
        #expect(LiveMachine().status("/etc")?.mode == 0o755)
    }

    /// As systemd leaves it, when the state directory itself was somebody else's: all below it is root's.
    @Test(.enabled(if: geteuid() == 0, "needs root to give something away"))
    func directoryOfRootsThatIsGivenAway_isGivenWithWhatLiesInIt_andNothingElse() throws {
        let (child, other, outside) = (state + "/web", UInt32(33), directory + "/outside")
        let store = PlanStore(state: state)
        try store.make([needed(state, given: true)])
        let nested = child + "/a/b"
        try FileManager.default.createDirectory(atPath: nested, withIntermediateDirectories: true)
        for path in [child + "/file", nested + "/file", child + "/others", outside] {
            try Data("x".utf8).write(to: URL(fileURLWithPath: path))
        }
        chown(child + "/others", 7, 7)
        #expect(link(outside, child + "/second-name") == 0)
        #expect(symlink(outside, child + "/link") == 0)
        #expect(close(open(child + "/\u{1}", O_CREAT, 0o600)) == 0)
        let web = NeededDirectory(path: child, owner: other, group: other, mode: 0o700)
        #expect(
            try store.make([web]) == [
                "'\(child)/second-name' stays root's, for it has a second name; if it is to be its child's: chown -h 33:33 "
                    + "'\(child)/second-name'"
            ])
        func owner(_ path: String) -> UInt32 {
            var status = stat()
            return lstat(path, &status) == 0 ? status.st_uid : .max
        }
        for path in ["", "/a", "/a/b", "/file", "/a/b/file", "/link", "/\u{1}"] {
            #expect(owner(child + path) == other, "\(path)")
        }
        #expect(owner(child + "/others") == 7, "what is another's stays his")
        #expect(owner(outside) == 0, "neither by a link nor by a second name")
        // From then on nothing in it is looked at: what root puts there on purpose stays root's.
        chown(child + "/file", 0, 0)
        #expect(try store.make([web]).isEmpty)
        #expect(owner(child + "/file") == 0)
    }

    /// What a child has made there keeps neither its directory nor any other from being given.
    @Test(.enabled(if: geteuid() == 0, "needs root to give something away"))
    func directoryThatIsTooDeep_isGivenAsFarAsItGoes_andItIsSaid() throws {
        let (child, other) = (state + "/web", UInt32(33))
        let store = PlanStore(state: state)
        try store.make([needed(state, given: true)])
        let depths = (1...Belongings.depthLimit + 2).map { child + String(repeating: "/d", count: $0) }
        try FileManager.default.createDirectory(atPath: depths[depths.count - 1], withIntermediateDirectories: true)
        let list = ["/web", "/next"].map { NeededDirectory(path: state + $0, owner: other, group: other, mode: 0o700) }
        let remarks = try store.make(list)
        #expect(remarks.count == 1 && remarks[0].contains("lies too deep"), "\(remarks)")
        #expect(LiveMachine().status(child)?.owner == other)
        #expect(LiveMachine().status(state + "/next")?.owner == other)
        #expect(LiveMachine().status(depths[0])?.owner == other)
        #expect(LiveMachine().status(depths[depths.count - 1])?.owner == 0)
    }

    @Test func fileInsteadOfADirectory_isNamedWithARemedy() throws {
        let path = directory + "/logs"
        try Data().write(to: URL(fileURLWithPath: path))
        do {
            try PlanStore(state: directory).make([needed(path)])
            Issue.record("it was made")
        } catch {
            let words = "cannot use '\(path)': Not a directory; something else is in its place: move it away"
            #expect(error.description == words)
        }
    }

    @Test func givenDirectory_mayBeALink() throws {
        let link = directory + "/link"
        symlink(directory, link)
        try PlanStore(state: link).make([needed(link, given: true), needed(link + "/tmp")])
        #expect(LiveMachine().status(directory + "/tmp")?.kind == .directory)
    }

    @Test func lastGood_isReplacedAsAWholeAndPrivate() throws {
        let store = PlanStore(state: directory)
        try store.keep(Plan(notes: ["one"]).encoded())
        // Left behind by a crash between the two steps.
        try Data("half".utf8).write(to: URL(fileURLWithPath: directory + "/last-good.new"))
        try store.keep(Plan(notes: ["two"]).encoded())
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: directory + "/last-good")))
        #expect(try Plan(encoded: bytes).notes == ["two"])
        #expect(LiveMachine().status(directory + "/last-good")?.mode == 0o600)
        #expect(!FileManager.default.fileExists(atPath: directory + "/last-good.new"))
    }

    @Test func missingStateDirectory_isAnError() {
        #expect(throws: PlanStore.Failure.self) { try PlanStore(state: directory + "/absent").keep([1]) }
    }
}
