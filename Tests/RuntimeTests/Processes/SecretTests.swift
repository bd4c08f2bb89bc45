import CNexus
import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

@Suite(.timeLimit(.minutes(1)))
struct SecretTests {
    let kernel = LiveKernel()
    let directory = TemporaryDirectory()
    let disposal = Disposal(LiveKernel())

    private func vault(_ sources: SecretPlan.Source..., credentials: String? = nil) -> SecretVault {
        SecretVault(kernel, sources.map { SecretPlan(name: "token", source: $0) }, credentials: credentials)
    }

    @Test func file_isReadAnewWithoutItsLastNewline() throws {
        let path = directory.path + "/token"
        var vault = vault(.file(path))
        try kernel.replaceFile(path, with: Array("one\n".utf8), mode: 0o600)
        #expect(try vault.value(of: 0) == "one")
        try kernel.replaceFile(path, with: Array("two\n\n".utf8), mode: 0o600)
        #expect(try vault.value(of: 0) == "two\n")
    }

    @Test func credential_comesFromNexusdsOwnDirectory() throws {
        try kernel.replaceFile(directory.path + "/name", with: Array("value".utf8), mode: 0o600)
        var given = vault(.credential("name"), credentials: directory.path)
        #expect(try given.value(of: 0) == "value")
        // What is not there comes with a start of the unit; of a file of one's own that is not said.
        var none = vault(.credential("name"))
        var later = vault(.credential("later"), .file(directory.path + "/later"), credentials: directory.path)
        let refusals = [
            #expect(throws: SecretError.self) { try none.value(of: 0) },
            #expect(throws: SecretError.self) { try later.value(of: 0) },
        ]
        for refusal in refusals { #expect(refusal?.description.contains("systemctl restart nexus") == true) }
        let file = #expect(throws: SecretError.self) { try later.value(of: 1) }
        #expect(file?.description.hasSuffix("make the file, or correct where it comes from") == true)
    }

    @Test func generated_livesUntilItsGroupIsGone() throws {
        var vault = vault(.generated(bytes: 32), .generated(bytes: 4))
        let first = try vault.value(of: 0)
        #expect(first.utf8.count == 64 && first.allSatisfy { "0123456789abcdef".contains($0) })
        #expect(try vault.value(of: 0) == first)
        #expect(try vault.value(of: 1).utf8.count == 8)
        vault.forget([0])
        #expect(try vault.value(of: 0) != first)
    }

    @Test func unusableValues_areRefusedWithoutSayingThem() throws {
        let path = directory.path + "/token"
        var vault = vault(.file(path))
        func refusal() -> String? { #expect(throws: SecretError.self) { try vault.value(of: 0) }?.description }
        #expect(refusal()?.contains("ENOENT") == true)
        for bytes: [UInt8] in [[0x73, 0xFF], [0x73, 0, 0x74], [UInt8](repeating: 0x73, count: 65_537)] {
            try kernel.replaceFile(path, with: bytes, mode: 0o600)
            #expect(refusal()?.contains("sss") == false)
        }
        #expect(
            refusal()?.hasSuffix("(EFBIG); it has more than 65536 bytes, the most of a secret: take a shorter one")
                == true)
        #expect(throws: SecretError.self) { try vault.value(of: 9) }
    }

    /// nexus-config refuses the same; what was put there since is no value.
    @Test func whatIsNoRegularFile_isRefusedAndHoldsUpNobody() throws {
        let path = directory.path + "/token"
        var vault = vault(.file(path), .credential("token"), credentials: directory.path)
        let makers: [() throws -> Void] = [
            { #expect(mkfifo(path, 0o600) == 0) }, { #expect(symlink("/dev/null", path) == 0) },
            { try kernel.makeDirectory(path, mode: 0o700) },
        ]
        for make in makers {
            try make()
            for index: UInt16 in [0, 1] {
                let refusal = #expect(throws: SecretError.self) { try vault.value(of: index) }
                #expect(
                    refusal?.description
                        == "secret token: \(path): Invalid argument (EINVAL); it is no regular file: put one in its place"
                )
            }
            #expect(Glibc.remove(path) == 0)
        }
    }

    @Test func fileThatEverybodyMayReadByNow_isRefused_andACredentialIsSystemds() throws {
        let path = directory.path + "/token"
        var vault = vault(.file(path), .credential("token"), credentials: directory.path)
        try kernel.replaceFile(path, with: Array("one".utf8), mode: 0o644)
        let refusal = #expect(throws: SecretError.self) { try vault.value(of: 0) }
        #expect(
            refusal?.description == "secret token: everybody may read or write '\(path)': chmod 0600 it")
        #expect(try vault.value(of: 1) == "one")
        try kernel.changeMode(path, to: 0o640)
        #expect(try vault.value(of: 0) == "one")
    }

    @Test func credentialFiles_areTheChildsAloneAndGoAfterwards() throws {
        let files = [CredentialFiles.File(name: "a", value: "one"), CredentialFiles.File(name: "b", value: "")]
        for _ in 0..<2 {
            let made = try CredentialFiles(
                kernel, disposal, directory: directory.path, child: "child", files: files, owner: nil)
            let outer = try kernel.status(made.path, followingLinks: false)
            #expect(outer.mode == 0o500 && outer.user == kernel.userID())
            #expect(try kernel.status(made.path + "/a", followingLinks: false).mode == 0o400)
            #expect(try kernel.readFile(made.path + "/a", limit: 10) == Array("one".utf8))
        }
        let made = try CredentialFiles(
            kernel, disposal, directory: directory.path, child: "child", files: files, owner: nil)
        made.remove(kernel, disposal)
        #expect(try kernel.list(directory.path).isEmpty)
    }

    @Test(.enabled(if: LiveKernel().userID() == 0, "needs root"))
    func credentialFilesOfAnotherUser_areReadableByItOnly() throws {
        try kernel.changeMode(directory.path, to: 0o711)
        let owner = Identity(uid: 65_534, gid: 65_533, groups: [], user: "nobody")
        let files = [CredentialFiles.File(name: "a", value: "one")]
        let made = try CredentialFiles(
            kernel, disposal, directory: directory.path, child: "child", files: files, owner: owner)
        let status = try kernel.status(made.path + "/a", followingLinks: false)
        #expect(status.user == 65_534 && status.group == 65_533 && status.mode == 0o400)
        #expect(try read(made.path + "/a", as: 65_534) == .code(0))
        #expect(try read(made.path + "/a", as: 65_533) != .code(0))
        made.remove(kernel, disposal)
        #expect(try kernel.list(directory.path).isEmpty)
    }

    /// A child of nexusd's own uid can put what it likes into its directory; the secrets go at once all the same, and the
    /// rest goes by a thread.
    @Test func whatASameUserLeftThere_isMovedAsideAndRemovedByAThread() throws {
        let files = [CredentialFiles.File(name: "a", value: "one"), CredentialFiles.File(name: "b", value: "two")]
        let made = try CredentialFiles(
            kernel, disposal, directory: directory.path, child: "child", files: files, owner: nil)
        try kernel.changeMode(made.path, to: 0o700)
        for number in 0..<500 { try kernel.replaceFile(made.path + "/\(number)", with: [1], mode: 0o400) }
        // One of the secrets' names is a directory now, with a hundred below it, and nothing of it is writable.
        try kernel.removeFile(made.path + "/b")
        var deep = made.path + "/b"
        for _ in 0..<100 {
            try kernel.makeDirectory(deep, mode: 0o700)
            deep += "/b"
        }
        try kernel.changeMode(made.path + "/b", to: 0)
        #expect(made.remove(kernel, disposal) == .movedAside)
        #expect(throws: Errno.noEntry) { try kernel.status(made.path, followingLinks: false) }
        #expect(throws: Errno.noEntry) {
            try kernel.status(directory.path + "/.removed/child-0/a", followingLinks: false)
        }
        let poller = try Poller(kernel)
        disposal.begin(with: poller, token: 1, at: kernel.monotonic())
        try poller.wait(atMost: .seconds(20))
        #expect(disposal.takeReports().count == 1)
        #expect(try kernel.list(directory.path).isEmpty)
    }

    @Test func whatAKilledNexusdLeft_goesBeforeThereIsAChild() throws {
        let files = [CredentialFiles.File(name: "a", value: "one")]
        _ = try CredentialFiles(kernel, disposal, directory: directory.path, child: "c", files: files, owner: nil)
        CredentialFiles.removeLeftovers(kernel, disposal, directory: directory.path)
        #expect(throws: Errno.noEntry) { try kernel.status(directory.path + "/c", followingLinks: false) }
        let poller = try Poller(kernel)
        disposal.begin(with: poller, token: 1, at: kernel.monotonic())
        var done = 0
        while done < 2 {
            try poller.wait(atMost: .seconds(20))
            done += disposal.takeReports().count
        }
        #expect(try kernel.list(directory.path).isEmpty)
    }

    @Test(.enabled(if: LiveKernel().userID() == 0, "needs root"))
    func childOfAnotherUser_canAddNothingToItsDirectory() throws {
        try kernel.changeMode(directory.path, to: 0o711)
        let owner = Identity(uid: 65_534, gid: 65_533, groups: [], user: "nobody")
        let files = [CredentialFiles.File(name: "a", value: "one")]
        let made = try CredentialFiles(
            kernel, disposal, directory: directory.path, child: "child", files: files, owner: owner)
        let script = """
            ls "$0" >/dev/null && cat "$0/a" || exit 7
            chmod 700 "$0" 2>/dev/null; mkdir "$0/0" 2>/dev/null && exit 8
            touch "$0/x" 2>/dev/null && exit 9; rm -f "$0/a" 2>/dev/null && exit 10; exit 0
            """
        #expect(try run("/bin/sh", ["sh", "-c", script, made.path], as: 65_534, group: 65_533) == .code(0))
        #expect(made.remove(kernel, disposal) == .whole)
    }

    private func read(_ path: String, as user: UInt32) throws -> Exit? {
        try run("/bin/cat", ["cat", path], as: user, group: user)
    }

    private func run(_ program: String, _ arguments: [String], as user: UInt32, group: UInt32) throws -> Exit? {
        var image = SpawnImage(executable: program, arguments: arguments, environment: ["PATH=/usr/bin:/bin"])
        image.identity = SpawnIdentity(user: user, group: group)
        let null = try kernel.open("/dev/null", .readWrite, mode: 0)
        image.descriptors = (0...2).map { DescriptorMapping(source: null.raw, target: $0) }
        return try waitForExit(try kernel.spawn(image))
    }

    @Test func makingThem_failingAtEveryCall_leavesNoFileBehind() throws {
        let files = [CredentialFiles.File(name: "a", value: "one")]
        let calls = try FaultyKernel.sweep(.noSpace) { faulty in
            do {
                let made = try CredentialFiles(
                    faulty, Disposal(faulty), directory: directory.path, child: "c", files: files, owner: nil)
                made.remove(kernel, disposal)
            } catch {
                #expect(error as? Errno == .noSpace)
            }
            let left = try kernel.list(directory.path)
            if !left.isEmpty { #expect(try kernel.list(directory.path + "/c").isEmpty) }
        }
        #expect(calls >= 6)
    }
}
