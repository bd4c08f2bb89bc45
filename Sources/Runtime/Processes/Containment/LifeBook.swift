import SupervisorCore
import System

/// One life of a nexusd. Every process it starts carries it in its environment, as NEXUS_LIFE: 128 random bits, so that
/// who has it was started by this nexusd or by something that was.
public struct LifeID: Hashable, Sendable, CustomStringConvertible {
    /// 32 hexadecimal digits.
    public let description: String

    /// A new one.
    init(_ kernel: any Kernel) throws(Errno) {
        var bits: (UInt64, UInt64) = (0, 0)
        try withUnsafeMutableBytes(of: &bits) { bytes throws(Errno) in try kernel.random(into: bytes) }
        description = Self.digits(bits.0) + Self.digits(bits.1)
    }

    /// One that was written down.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "f") ~= $0 }) else {
            return nil
        }
        description = String(text)
    }

    /// The name of the variable.
    static let variable = "NEXUS_LIFE"

    /// The name (comm) of a process that waits in its execve(2): it is a copy of nexusd until then, with the environment of
    /// whoever started that. 60 of the random bits, all that a comm has room for. It hits no stranger: a process is named by
    /// itself only (proc(5), /proc/PID/comm), by nobody with such a number by chance, and any exec takes the name away. The
    /// program file of nexusd is not asked for beside it: it may have been replaced meanwhile, and others may run it too.
    var waitingName: String { String(description.prefix(15)) }

    private static func digits(_ number: UInt64) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}

/// The lives of this runtime directory whose processes may still be there, in a file beside the lock, which says that
/// none of their nexusds is. Goes away when a nexusd has ended with nothing left.
struct LifeBook {
    private let kernel: any Kernel
    private let path: String
    /// Those before this one; the latest are kept.
    let earlier: [LifeID]
    /// What is wrong with the file, where it may not name all of them; nil when it is not there, as after an end in order.
    let damage: String?
    /// What was in the file; nil without one that can be read.
    private let found: [UInt8]?

    private static let limit = 8

    init(_ kernel: any Kernel, path: String) {
        self.kernel = kernel
        self.path = path
        do throws(Errno) {
            let bytes = try kernel.readFile(path, limit: 4096)
            found = bytes
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            let lives = lines.compactMap { LifeID($0) }
            earlier = lives.suffix(Self.limit)
            damage = lines.isEmpty ? "it is empty" : lives.count < lines.count ? "it is damaged" : nil
        } catch {
            found = nil
            earlier = []
            damage =
                switch error {
                case .noEntry: nil
                case .invalid: kernel.displaced(path) == path ? Self.displaced : "it is no regular file"
                case _: "\(error)"
                }
        }
    }

    private static let displaced = "a directory is in its place"

    /// What a damaged file means and what is to be done, for the log and `status`.
    func note(_ life: LifeID) -> String? {
        damage.map {
            "\(path) cannot be relied upon (\($0)): what an earlier nexusd left behind may still run beside its new run; look "
                + "with `grep -lz ^\(LifeID.variable)= /proc/[0-9]*/environ` for processes whose \(LifeID.variable) is not "
                + "\(life.description.prefix(8))…, end them, "
                + (damage == Self.displaced ? "move the directory away, " : "") + "then restart nexusd"
        }
    }

    /// Writes this life down, before it starts anything, beside those that are not over.
    func begin(_ life: LifeID, beside unfinished: [LifeID]) throws(Errno) {
        let text = (unfinished + [life]).map { $0.description + "\n" }.joined()
        try kernel.replaceFile(path, with: Array(text.utf8), mode: 0o600)
    }

    /// This life is over before it has ended what earlier ones left: the file is what it was.
    func goBack() {
        guard let found else { return finish() }
        try? kernel.replaceFile(path, with: found, mode: 0o600)
    }

    /// Nothing of any life is left.
    func finish() { try? kernel.removeFile(path) }
}
