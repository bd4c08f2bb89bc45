import ControlClient
import Glibc
import System

/// A program's file, copied or read as a whole. Bounded: what is longer is no program that Nexus runs.
enum ProgramFile {
    private static let blockLength = 1 << 20
    /// Several times what any opencode has.
    private static let byteLimit: Int64 = 2 << 30

    /// Copies it to a place where nothing is: 0755, this user's; on the disk when it returns. Its SHA-256.
    @discardableResult
    static func copy(_ source: String, to destination: String, _ kernel: LiveKernel) throws(ControlError) -> String {
        var what = source
        do throws(Errno) {
            let from = try kernel.openRegular(source, [.readOnly, .nonBlocking], mode: 0)
            guard try kernel.status(from).size <= byteLimit else { throw .tooLarge }
            what = destination
            let to = try kernel.open(destination, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            let hash = try read(from, kernel) { block throws(Errno) in
                var rest = block
                while !rest.isEmpty {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(try kernel.write(to, rest)))
                }
            }
            try kernel.changeOwner(to, user: geteuid(), group: getegid())
            try kernel.changeMode(to, to: 0o755)
            try kernel.synchronize(to)
            return hash
        } catch {
            try? kernel.removeFile(destination)
            throw ControlError(
                .failed,
                error == .invalid ? "\(source) is no regular file" : "cannot copy \(source): \(what): \(error)",
                hint: error == .noSpace ? "make room on that disk" : nil)
        }
    }

    /// SHA-256 of a file that is there.
    static func hash(of path: String, _ kernel: LiveKernel) throws(Errno) -> String {
        let file = try kernel.openRegular(path, [.readOnly, .nonBlocking, .noFollow], mode: 0)
        return try read(file, kernel) { _ in }
    }

    private static func read(
        _ file: borrowing OwnedFD, _ kernel: LiveKernel, _ body: (UnsafeRawBufferPointer) throws(Errno) -> Void
    ) throws(Errno) -> String {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: blockLength, alignment: 16)
        defer { buffer.deallocate() }
        var digest = SHA256Digest()
        var total: Int64 = 0
        while case let count = try kernel.read(file, into: buffer), count > 0 {
            total += Int64(count)
            // It may grow meanwhile.
            guard total <= byteLimit else { throw .tooLarge }
            let block = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            digest.add(block)
            try body(block)
        }
        return digest.finish()
    }
}
