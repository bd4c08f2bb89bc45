import Foundation
import Glibc

/// The credentials file of a named tunnel. cloudflared takes `{}` and tries for ever, so it is looked at here.
enum CredentialsFile {
    private struct Contents: Decodable {
        var AccountTag: String
        var TunnelSecret: String
        var TunnelID: String
    }

    private static let field = "[tunnel] credentials-file"

    /// Nothing of what is in it is in the words of the error.
    static func check(_ path: String, tunnel: UUID) throws(TunnelError) {
        let id = try Self.tunnel(path)
        guard id == tunnel else {
            throw TunnelError(
                "[tunnel] id: \(tunnel.uuidString.lowercased()), but \(path) is of the tunnel \(id.uuidString.lowercased())"
            )
        }
    }

    /// Whose it is.
    static func tunnel(_ path: String) throws(TunnelError) -> UUID {
        let text = try SecretFile.read(path, field: field, what: "written by `cloudflared tunnel create`")
        guard let contents = try? JSONDecoder().decode(Contents.self, from: Data(text.utf8)) else {
            throw TunnelError(
                "\(field): \(path) is no credentials file: a JSON object with AccountTag, TunnelSecret and TunnelID")
        }
        guard !contents.AccountTag.isEmpty else { throw TunnelError("\(field): AccountTag in \(path) is empty") }
        guard let secret = Data(base64Encoded: contents.TunnelSecret), secret.count >= 32 else {
            throw TunnelError("\(field): TunnelSecret in \(path) is not base64 of at least 32 bytes")
        }
        guard let id = UUID(uuidString: contents.TunnelID) else {
            throw TunnelError("\(field): TunnelID in \(path) is no UUID")
        }
        return id
    }
}

/// The file with a tunnel's token: base64 of `{"a":ACCOUNT,"s":SECRET,"t":UUID}`.
enum TokenFile {
    private struct Contents: Decodable {
        var a: String
        var s: String
        var t: String
    }

    /// Nothing of what is in it is in the words of the error.
    static func check(_ path: String) throws(TunnelError) {
        let field = "[tunnel] token-file"
        let text = try SecretFile.read(path, field: field, what: "with the token that Cloudflare's dashboard shows")
        guard let data = Data(base64Encoded: text.trimmingCharacters(in: .whitespacesAndNewlines)),
            let contents = try? JSONDecoder().decode(Contents.self, from: data)
        else {
            throw TunnelError(
                "\(field): \(path) holds no token; copy the long word behind --token (or `service install`), nothing else"
            )
        }
        guard let secret = Data(base64Encoded: contents.s), secret.count >= 32, UUID(uuidString: contents.t) != nil,
            !contents.a.isEmpty
        else {
            throw TunnelError("\(field): the token in \(path) is cut off or mistyped: copy it again, whole")
        }
    }
}

/// A small file that holds a secret.
enum SecretFile {
    /// Longest one that is read, in bytes; a token has about 200.
    static let limitBytes = 16_384

    static func read(_ path: String, field: String, what: String) throws(TunnelError) -> String {
        guard path.hasPrefix("/") else { throw TunnelError("\(field): name the file \(what), by its absolute path") }
        let found: (bytes: Data, mode: mode_t)?
        do throws(TunnelError) {
            found = try SmallFile.contents(of: path, limitBytes: limitBytes)
        } catch {
            throw TunnelError("\(field): \(error)")
        }
        guard let (bytes, mode) = found else {
            throw TunnelError("\(field): cannot open \(path): \(String(cString: strerror(ENOENT)))")
        }
        guard mode & 0o007 == 0 else {
            throw TunnelError("\(field): everybody on this machine may use \(path); chmod 600 \(path)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TunnelError("\(field): \(path) is not text")
        }
        return text
    }
}
