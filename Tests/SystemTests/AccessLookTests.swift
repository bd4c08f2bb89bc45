import Glibc
import System
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct AccessLookTests {
    private let directory = TemporaryDirectory()
    private let stranger = SpawnIdentity(user: 54_321, group: 54_321)

    /// What this user may not, of reading, writing and entering the directory.
    private func refused(_ user: SpawnIdentity?) throws -> [Errno?] {
        let file = try LiveKernel().open(directory.path, .path, mode: 0)
        let rights: [AccessLook.Right] = [.read, .write, .enter]
        return try AccessLook.ask(rights.map { AccessLook(directory: file.raw, right: $0) }, as: user)
    }

    @Test(.enabled(if: isRoot, "needs root")) func answers_areThoseOfTheUser_andRootStaysRoot() throws {
        chmod(directory.path, 0o711)
        #expect(try refused(stranger) == [.noAccess, .noAccess, nil])
        chmod(directory.path, 0o707)
        #expect(try refused(stranger) == [nil, nil, nil])
        // Its group may nothing, whatever others may.
        chown(directory.path, 0, 54_321)
        #expect(try refused(stranger) == [.noAccess, .noAccess, .noAccess])
        #expect(try refused(nil) == [nil, nil, nil] && geteuid() == 0)
    }

    @Test(.enabled(if: isRoot, "needs root")) func closedDirectoryAbove_countsForAPath_notForTheDirectoryItself() throws
    {
        let inner = directory.path + "/inner"
        mkdir(inner, 0o777)
        chmod(inner, 0o777)
        chmod(directory.path, 0o700)
        let kernel = LiveKernel()
        let top = try kernel.open("/", .path, mode: 0)
        let below = try kernel.open(inner, .path, mode: 0)
        let looks = [
            AccessLook(directory: top.raw, name: String(inner.dropFirst()), right: .enter),
            AccessLook(directory: below.raw, right: [.write, .enter]),
        ]
        #expect(try AccessLook.ask(looks, as: stranger) == [.noAccess, nil])
    }

    @Test func missingName_isSaidAsSuch() throws {
        let file = try LiveKernel().open(directory.path, .path, mode: 0)
        #expect(
            try AccessLook.ask([AccessLook(directory: file.raw, name: "gone", right: .read)], as: nil) == [.noEntry])
        #expect(try AccessLook.ask([], as: nil) == [])
    }
}
