import Foundation
import Testing

@testable import Outbox

@Suite(.timeLimit(.minutes(1))) struct PushKeyTests {
    private func inDirectory(_ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.path + "/nexus-push-key-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func key_isMadeOnce_keptPrivate_andTheSameAfterwards() throws {
        try inDirectory { directory in
            let first = try PushKey(directory: directory)
            let path = directory + "/push-key.pem"
            #expect(try mode(path) == 0o600)
            #expect(Base64URL.bytes(first.publicText)?.count == 65)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            #expect(try PushKey(directory: directory).publicText == first.publicText)
            #expect(try mode(path) == 0o600, "a copy that let others in is closed again")
        }
    }

    @Test func fileThatIsNoKey_isNamedAndNotOverwritten() throws {
        try inDirectory { directory in
            let path = directory + "/push-key.pem"
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: path))
            let failure = #expect(throws: PushKey.Failure.self) { try PushKey(directory: directory) }
            #expect(failure?.description.contains(path) == true)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "nonsense")
        }
    }

    @Test func linkInItsPlace_isNotFollowed() throws {
        try inDirectory { directory in
            try FileManager.default.createSymbolicLink(
                atPath: directory + "/push-key.pem", withDestinationPath: directory + "/elsewhere")
            #expect(throws: PushKey.Failure.self) { try PushKey(directory: directory) }
        }
    }
}
