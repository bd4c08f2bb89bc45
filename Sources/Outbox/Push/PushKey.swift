public import Cryptography
import Foundation
import Glibc

/// The key by which push services know this box (RFC 8292): made once, kept for ever, because browsers subscribe with its
/// public half.
public struct PushKey: Sendable {
    let key: P256Key
    /// As browsers take it (`applicationServerKey`): the uncompressed point, Base64url.
    public let publicText: String

    /// Why it is not to be had.
    public struct Failure: Error, CustomStringConvertible {
        /// Where, and what to do.
        public let description: String
    }

    /// That key.
    public init(_ key: P256Key) throws(CryptographyFailure) {
        self.key = key
        publicText = Base64URL.text(Data(try key.point()))
    }

    /// Reads `push-key.pem` of a directory, or makes it (mode 0600).
    public init(directory: String) throws {
        let path = directory + "/push-key.pem"
        if let known = try Self.read(path) {
            try self.init(known)
            return
        }
        let new = try P256Key()
        try Self.write(new.pem(), path)
        try self.init(new)
    }

    private static func read(_ path: String) throws -> P256Key? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw Failure(description: "\(path): \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        // Whoever copied it about may have let others in.
        fchmod(file, 0o600)
        var bytes = [UInt8](repeating: 0, count: 4096)
        defer { explicit_bzero(&bytes, bytes.count) }
        let count = Glibc.read(file, &bytes, bytes.count)
        do {
            return try P256Key(pem: bytes.prefix(max(0, count)))
        } catch {
            throw Failure(
                description:
                    "\(path) is no key of P-256 (\(error)); put it back from a backup, or remove it: then every "
                    + "browser has to be told anew that it wants messages")
        }
    }

    /// Whole or not at all, and readable by nobody else at any time.
    private static func write(_ pem: SecretBytes, _ path: String) throws {
        let new = path + ".new"
        unlink(new)
        let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(description: "\(new): \(String(cString: strerror(errno)))") }
        let isWhole = pem.withBytes { Glibc.write(file, $0.baseAddress, $0.count) == $0.count } && fsync(file) == 0
        close(file)
        guard isWhole, rename(new, path) == 0 else {
            throw Failure(description: "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}

/// Base64 for URLs, without padding (RFC 4648, 5).
public enum Base64URL {
    /// As text.
    public static func text(_ bytes: Data) -> String {
        bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Nil for anything else. Padding is taken, too.
    public static func bytes(_ text: String) -> Data? {
        var plain = text.replacing("-", with: "+").replacing("_", with: "/").replacing("=", with: "")
        plain += String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Data(base64Encoded: plain)
    }
}
