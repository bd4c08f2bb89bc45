import Foundation
import Glibc
import Wire

/// The credentials file of a named tunnel. cloudflared takes `{}` and tries for ever, so it is looked at here.
enum CredentialsFile {
    private static let field = "[tunnel] credentials-file"

    /// Nothing of what is in it is in the words of the error.
    @discardableResult
    static func read(_ path: String, tunnel: UUID) throws(TunnelError) -> String {
        let (text, id) = try contents(path)
        guard id == tunnel else {
            throw TunnelError(
                "[tunnel] id: \(tunnel.uuidString.lowercased()), but \(path) is of the tunnel \(id.uuidString.lowercased())"
            )
        }
        return text
    }

    /// Whose it is.
    static func tunnel(_ path: String) throws(TunnelError) -> UUID { try contents(path).tunnel }

    private static func contents(_ path: String) throws(TunnelError) -> (text: String, tunnel: UUID) {
        let text = try SecretFile.read(path, field: field, what: "written by `cloudflared tunnel create`")
        let fields: SecretFields
        do {
            fields = try SecretFields(Array(text.utf8)) { "\(field): \($0) in \(path)" }
        } catch {
            throw TunnelError(
                "\(field): \(path):\(error.place): it is no JSON object that cloudflared takes: "
                    + "\(error.words); cloudflared tunnel create writes one with AccountTag, TunnelSecret and TunnelID")
        }
        _ = try fields.text("AccountTag")
        try fields.secret("TunnelSecret")
        try fields.perhapsText("Endpoint")
        return (text, try fields.uuid("TunnelID"))
    }
}

/// The file with a tunnel's token: base64 of `{"a":ACCOUNT,"s":SECRET,"t":UUID}`.
enum TokenFile {
    /// Nothing of what is in it is in the words of the error.
    @discardableResult
    static func read(_ path: String) throws(TunnelError) -> String {
        let field = "[tunnel] token-file"
        let text = try SecretFile.read(path, field: field, what: "with the token that Cloudflare's dashboard shows")
        let again = "copy the long word behind --token (or `service install`), whole, and nothing else"
        guard let data = Data(goBase64: text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw TunnelError("\(field): the token in \(path) is no base64; \(again)")
        }
        let fields: SecretFields
        do {
            fields = try SecretFields([UInt8](data)) { "\(field): part \"\($0)\" of the token in \(path)" }
        } catch {
            throw TunnelError(
                "\(field): the token in \(path) is no JSON object inside its base64 (there, \(error.place): "
                    + "\(error.words)); \(again)")
        }
        do throws(TunnelError) {
            _ = try fields.text("a")
            try fields.secret("s")
            _ = try fields.uuid("t")
            try fields.perhapsText("e")
        } catch {
            throw TunnelError("\(error); \(again)")
        }
        return text
    }
}

/// The members of a secret's JSON object, read as strictly as Go's encoding/json does, by which cloudflared reads it:
/// Foundation's reader lets a byte order mark pass, and a comma before the closing bracket. The error names the member that is
/// not good, and never what stands there.
private struct SecretFields {
    private let members: [JSONValue.Member]
    private let named: (String) -> String

    init(_ bytes: [UInt8], named: @escaping (String) -> String) throws(NoObject) {
        self.named = named
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw NoObject(bytes, 0, "a byte order mark stands before it; save it without one")
        }
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes)
        } catch {
            throw NoObject(bytes, error.offset, error.problem.rawValue)
        }
        guard case .object(let members) = value else { throw NoObject(bytes, 0, "it does not begin with {") }
        self.members = members
    }

    /// Where it is no JSON object, and what is wrong there.
    struct NoObject: Error {
        /// `LINE:COLUMN`, both from 1, the column in bytes.
        let place: String
        let words: String

        init(_ bytes: [UInt8], _ offset: Int, _ words: String) {
            let before = bytes[..<offset]
            let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            place = "\(before.count { $0 == UInt8(ascii: "\n") } + 1):\(before.count - start + 1)"
            self.words = words
        }
    }

    func text(_ name: String) throws(TunnelError) -> String {
        guard let text = try perhapsText(name) else {
            let isThere = members.contains { $0.name.lowercased() == name.lowercased() }
            throw TunnelError("\(named(name)) is \(isThere ? "no text" : "missing")")
        }
        guard !text.isEmpty else { throw TunnelError("\(named(name)) is empty") }
        return text
    }

    /// Go takes a name in any case of its letters, of several the last, and null for nothing at all.
    @discardableResult
    func perhapsText(_ name: String) throws(TunnelError) -> String? {
        var last: String?
        for member in members where member.name.lowercased() == name.lowercased() {
            switch member.value {
            case .string(let text): last = text
            case .null: break
            case .bool, .integer, .real, .array, .object: throw TunnelError("\(named(name)) is no text")
            }
        }
        return last
    }

    func secret(_ name: String) throws(TunnelError) {
        guard let bytes = Data(goBase64: try text(name)) else {
            throw TunnelError("\(named(name)) is no base64")
        }
        guard bytes.count >= 32 else {
            throw TunnelError("\(named(name)) is too short: \(bytes.count) bytes, and 32 are the least")
        }
    }

    func uuid(_ name: String) throws(TunnelError) -> UUID {
        guard let id = UUID(goText: try text(name)) else { throw TunnelError("\(named(name)) is no UUID") }
        return id
    }
}

extension Data {
    /// As Go's StdEncoding reads it: ends of lines in it are no part of it.
    fileprivate init?(goBase64 text: String) {
        self.init(base64Encoded: String(text.unicodeScalars.filter { $0 != "\r" && $0 != "\n" }))
    }
}

extension UUID {
    /// In the ways that uuid.Parse of Go takes, which cloudflared reads it by: also `{…}`, `urn:uuid:…`, and without hyphens.
    fileprivate init?(goText text: String) {
        var text = text[...]
        if text.count == 45, text.lowercased().hasPrefix("urn:uuid:") { text = text.dropFirst(9) }
        if text.count == 38, text.hasPrefix("{"), text.hasSuffix("}") { text = text.dropFirst().dropLast() }
        if text.count == 32 {
            let ends = [0, 8, 12, 16, 20, 32]
            text = zip(ends, ends.dropFirst()).map { text.dropFirst($0).prefix($1 - $0) }.joined(separator: "-")[...]
        }
        self.init(uuidString: String(text))
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
        if let words = SecretMode.complaint(path, mode: mode) { throw TunnelError("\(field): \(words)") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TunnelError("\(field): \(path) is not text")
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw TunnelError("\(field): \(path) is empty; it is to be the file \(what)")
        }
        return text
    }
}
