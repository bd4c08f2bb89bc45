import CNexus
import SupervisorCore
import System
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct FileTests {
    let kernel = LiveKernel()
    let directory = TemporaryDirectory()
    private var path: String { directory.path + "/file" }

    @Test func replacedFile_hasContentAndModeWhateverTheUmask() throws {
        try kernel.replaceFile(path, with: Array("one".utf8), mode: 0o644)
        try kernel.replaceFile(path, with: Array("two".utf8), mode: 0o640)
        #expect(try kernel.readFile(path, limit: 10) == Array("two".utf8))
        #expect(try kernel.status(path, followingLinks: false).mode == 0o640)
        #expect(try kernel.list(directory.path) == ["file"])
    }

    @Test func replacedFile_doesNotFollowALink() throws {
        let target = directory.path + "/target"
        try kernel.replaceFile(target, with: Array("kept".utf8), mode: 0o600)
        #expect(symlink(target, path) == 0)
        #expect(symlink(target, path + ".new") == 0)
        try kernel.replaceFile(path, with: Array("new".utf8), mode: 0o600)
        #expect(try kernel.readFile(target, limit: 10) == Array("kept".utf8))
        #expect(try kernel.status(path, followingLinks: false).kind == .regular)
    }

    @Test func replacing_failingAtEveryCall_keepsTheOldContent() throws {
        try kernel.replaceFile(path, with: Array("old".utf8), mode: 0o600)
        let calls = FaultyKernel.sweep(.noSpace) { faulty in
            do {
                try faulty.replaceFile(path, with: Array("new".utf8), mode: 0o600)
            } catch {
                #expect(error as? Errno == .noSpace)
                #expect((try? kernel.readFile(path, limit: 10)) == Array("old".utf8))
            }
        }
        #expect(calls >= 4)
        #expect(try kernel.readFile(path, limit: 10) == Array("new".utf8))
    }

    @Test func fileAboveTheLimit_isRefused() throws {
        try kernel.replaceFile(path, with: [UInt8](repeating: 1, count: 5000), mode: 0o600)
        #expect(try kernel.readFile(path, limit: 5000).count == 5000)
        #expect(throws: Errno.tooLarge) { try kernel.readFile(path, limit: 4999) }
    }

    /// Opening a FIFO waits for its writer, and reading one for what that says: for ever, where there is none.
    @Test func whatIsNoRegularFile_isNotReadAsOne() throws {
        #expect(mkfifo(path, 0o600) == 0)
        #expect(throws: Errno.invalid) { try kernel.readFile(path, limit: 10) }
        let writer = try kernel.open(path, [.readWrite, .nonBlocking], mode: 0)
        #expect(throws: Errno.invalid) { try kernel.readFile(path, limit: 10) }
        try kernel.writeAll(writer, [1])
        #expect(throws: Errno.invalid) { try kernel.readFile("/dev/zero", limit: 10) }
        #expect(throws: Errno.invalid) { try kernel.readFile(directory.path, limit: 10) }
    }

    @Test func pathWithNUL_isRefusedByEveryCall() {
        #expect(throws: Errno.invalid) { _ = try kernel.open("/tmp\0x", .readOnly, mode: 0) }
        #expect(throws: Errno.invalid) { try kernel.removeFile(path + "\0") }
        #expect(throws: Errno.invalid) { try kernel.rename(path, to: "/tmp/\0") }
        #expect(throws: Errno.invalid) { try kernel.list("/\0") }
    }

    @Test func lock_isExclusiveBetweenOpenFiles() throws {
        let first = try kernel.open(path, [.readWrite, .create], mode: 0o600)
        let second = try kernel.open(path, .readWrite, mode: 0)
        #expect(try kernel.lock(first))
        #expect(try kernel.lock(second) == false)
    }

    @Test func pipe_blocksOnlyWhereAsked() throws {
        let pipe = try kernel.makePipe(blocking: .write)
        #expect(nexus_fcntl(pipe.read.raw, F_GETFL, 0) & O_NONBLOCK != 0)
        #expect(nexus_fcntl(pipe.write.raw, F_GETFL, 0) & O_NONBLOCK == 0)
        #expect(nexus_fcntl(pipe.read.raw, F_GETFD, 0) == FD_CLOEXEC)
        #expect(nexus_fcntl(pipe.write.raw, F_GETFD, 0) == FD_CLOEXEC)
        #expect(try kernel.setPipeSize(pipe.write, to: 4096) == 4096)
        #expect(try kernel.pipeSize(pipe.read) == 4096)
    }

    @Test func tee_leavesTheBytesInTheSource() throws {
        let source = try kernel.makePipe(blocking: [])
        let copy = try kernel.makePipe(blocking: [])
        #expect(throws: Errno.again) { _ = try kernel.tee(source.read, to: copy.write, upTo: 100) }
        try kernel.writeAll(source.write, Array("line\n".utf8))
        #expect(try kernel.tee(source.read, to: copy.write, upTo: 100) == 5)
        #expect(try kernel.readableBytes(source.read) == 5)
        let null = try kernel.open("/dev/null", .writeOnly, mode: 0)
        #expect(try kernel.splice(source.read, to: null, upTo: 5) == 5)
        #expect(try kernel.readableBytes(source.read) == 0)
        #expect(try kernel.readableBytes(copy.read) == 5)
    }

    @Test func errno_saysItsNameAndMeaning() {
        #expect(Errno.noEntry.description == "No such file or directory (ENOENT)")
        #expect(Errno(rawValue: 9999).description == "unknown error (9999)")
    }
}
