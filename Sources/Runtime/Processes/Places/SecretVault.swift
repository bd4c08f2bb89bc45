public import Plan
public import System
import Wire

/// Values of the plan's secrets. Generated ones live as long as their group has a run; the others are read for each
/// spawn, so that a changed file counts at the next one.
public struct SecretVault {
    private let kernel: any Kernel
    private var secrets: [SecretPlan]
    /// nexusd's own $CREDENTIALS_DIRECTORY, where systemd puts LoadCredential=.
    private let credentials: String?
    /// Values that were generated, by index.
    private(set) var generated: [UInt16: String] = [:] { didSet { isRevised = true } }
    private var isRevised = false

    /// Longest value, bytes.
    public static let valueLimit = 65_536

    /// Nothing is read or generated yet.
    public init(_ kernel: any Kernel, _ secrets: [SecretPlan], credentials: String?) {
        self.kernel = kernel
        self.secrets = secrets
        self.credentials = credentials
    }

    /// Values that an earlier nexusd generated, and whose children live.
    mutating func recall(_ values: [UInt16: String]) {
        for (index, value) in values {
            guard Int(index) < secrets.count, case .generated = secrets[Int(index)].source else { continue }
            generated[index] = value
        }
    }

    /// Whether there are others than when this was asked last; for a shell that keeps them.
    mutating func takeRevised() -> Bool {
        defer { isRevised = false }
        return isRevised
    }

    /// The value of a secret, generated when it is not there yet.
    public mutating func value(of index: UInt16) throws(SecretError) -> String {
        guard Int(index) < secrets.count else { throw SecretError(name: "#\(index)", problem: "is not in the plan") }
        let secret = secrets[Int(index)]
        switch secret.source {
        case .file(let path):
            return try read(secret.name, path, isPrivate: true)
        case .credential(let name):
            guard let credentials else {
                throw SecretError(
                    name: secret.name, problem: "is a systemd credential, and nexusd was given none",
                    remedy: SecretError.remedy(ofCredential: name))
            }
            do throws(SecretError) {
                return try read(secret.name, credentials + "/" + name, isPrivate: false)
            } catch  where error.error == .noEntry {
                throw SecretError(
                    name: error.name, problem: error.problem, error.error,
                    remedy: SecretError.remedy(ofCredential: name))
            }
        case .generated(let count):
            if let value = generated[index] { return value }
            let value = try generate(secret.name, Int(count))
            generated[index] = value
            return value
        }
    }

    /// The group whose members name these secrets has no run any more: the next value is a new one.
    public mutating func forget(_ indices: some Sequence<UInt16>) {
        for index in indices where generated[index] != nil { generated[index] = nil }
    }

    /// Other secrets under the same indices. A generated value lives on where its secret is the same.
    public mutating func replace(_ new: [SecretPlan]) {
        for index in generated.keys {
            let isSame = Int(index) < new.count && new[Int(index)] == secrets[Int(index)]
            if !isSame { generated[index] = nil }
        }
        secrets = new
    }

    /// What nexus-config looked at is looked at again, for the file may be another by now.
    /// - Parameter isPrivate: refused where everybody may read or write it; what systemd hands over is as it made it.
    private func read(_ name: String, _ path: String, isPrivate: Bool) throws(SecretError) -> String {
        var bytes: [UInt8]
        let mode: UInt16
        do throws(Errno) {
            // Never waits for a writer, should the path be a pipe, whose emptiness is no value either.
            let fd = try kernel.openRegular(path, [.readOnly, .nonBlocking], mode: 0)
            mode = try kernel.status(fd).mode
            bytes = try kernel.readAll(fd, limit: Self.valueLimit)
        } catch {
            throw SecretError(name: name, problem: "\(path): \(error)", error)
        }
        if isPrivate, let words = SecretMode.complaint(path, mode: UInt32(mode)) {
            throw SecretError(name: name, problem: words)
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw SecretError(
                name: name, problem: "\(path) is not UTF-8 text without NUL; write it as such (as base64 does)")
        }
        return text
    }

    private func generate(_ name: String, _ count: Int) throws(SecretError) -> String {
        var bytes = [UInt8](repeating: 0, count: count)
        do {
            try bytes.withUnsafeMutableBufferPointer { buffer throws(Errno) in
                try kernel.random(into: UnsafeMutableRawBufferPointer(buffer))
            }
        } catch {
            throw SecretError(name: name, problem: "no random bytes: \(error)", error)
        }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// A secret that has no value; never says the value.
public struct SecretError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which.
    public let name: String
    /// Why.
    public let problem: String
    /// What the kernel said, where it was the kernel.
    public let error: Errno?
    /// What to do about it; nil: the problem says it.
    public let remedy: String?

    init(name: String, problem: String, _ error: Errno? = nil, remedy: String? = nil) {
        self.name = name
        self.problem = problem
        self.error = error
        self.remedy = remedy ?? error.map(Self.remedy)
    }

    /// systemd copies credentials when it starts a unit, and what comes later waits for the next start. The package's unit has
    /// one for each file of a directory: `nexus_` and the file's name (systemd.exec(5), LoadCredential=).
    static func remedy(ofCredential name: String) -> String {
        let file = name.hasPrefix("nexus_") ? "/etc/nexus/credentials/\(name.dropFirst(6))" : nil
        let place = file.map { "put it into \($0), or where another unit's LoadCredential= finds '\(name)'" }
        return
            (place
            ?? "put it where the unit's LoadCredential= finds '\(name)' (the package's has nexus_FILE for each FILE in "
            + "/etc/nexus/credentials)")
            + ", then: systemctl restart nexus, for systemd hands credentials over only when it starts the unit"
    }

    /// `secret token: /etc/token: No such file or directory (ENOENT); make the file, or correct where it comes from`.
    public var description: String { "secret \(name): \(problem)" + (remedy.map { "; " + $0 } ?? "") }

    private static func remedy(_ error: Errno) -> String {
        switch error {
        case .noEntry, .notDirectory: "make the file, or correct where it comes from"
        case .noAccess, .notPermitted: "let nexusd's user read it"
        case .invalid, .noReader: "it is no regular file: put one in its place"
        case .tooLarge: "it has more than \(SecretVault.valueLimit) bytes, the most of a secret: take a shorter one"
        case .tooManyOpen, .tooManyOpenInSystem: "raise the limit of open files"
        case _: "see whether it can be read"
        }
    }
}
