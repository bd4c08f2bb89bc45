/// Finds in one line what looks like a secret: the value behind a telling name, a token of a known make, a password in an
/// address, a private key.
struct SecretScan {
    /// Inside a private key that goes on in the next line.
    private(set) var isInKey: Bool
    private let line: [UInt8]

    init(_ line: [UInt8], isInKey: Bool) {
        self.line = line
        self.isInKey = isInKey
    }

    mutating func redacted() -> [UInt8] {
        let text = String(decoding: line, as: UTF8.self)
        if isInKey {
            isInKey = !text.contains("-----END")
            return TextRedactor.mark
        }
        if text.contains("-----BEGIN"), text.contains("PRIVATE KEY") {
            isInKey = !text.contains("-----END")
            return TextRedactor.mark
        }
        return withoutTokens(withoutUserInfo(line))
    }

    // MARK: - Passwords in addresses: scheme://user:password@host

    private func withoutUserInfo(_ line: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var rest = line[...]
        while let colon = Self.scheme(in: rest) {
            let begin = colon + 3
            output += rest[..<begin]
            rest = line[begin...]
            let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 <= 0x20 || $0 == UInt8(ascii: "\"") }
            let authority = rest[..<(end ?? rest.endIndex)]
            if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
                output += TextRedactor.mark
                rest = rest[at...]
            }
        }
        return output + rest
    }

    private static func scheme(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.indices.dropLast(2).first { index in
            bytes[index] == UInt8(ascii: ":") && bytes[index + 1] == UInt8(ascii: "/")
                && bytes[index + 2] == UInt8(ascii: "/")
        }
    }

    // MARK: - Words

    private func withoutTokens(_ line: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var place = 0
        // The word before named a secret, and only marks have come since.
        var isAwaited = false
        while place < line.count {
            if isAwaited, line[place] == UInt8(ascii: "\"") || line[place] == UInt8(ascii: "'") {
                let quote = line[place]
                let close = line[(place + 1)...].firstIndex(of: quote) ?? line.count
                if close > place + 1, line[place + 1] != UInt8(ascii: ":") {
                    output.append(quote)
                    output += TextRedactor.mark
                    place = close
                    isAwaited = false
                    continue
                }
            }
            guard Self.isPart(line[place]) else {
                output.append(line[place])
                place += 1
                continue
            }
            let end = line[place...].firstIndex { !Self.isPart($0) } ?? line.count
            let word = line[place..<end]
            let name = String(decoding: word, as: UTF8.self).lowercased()
            if isAwaited, name == "bearer" || name == "basic" {
                output += word
            } else if (isAwaited && !Self.harmless.contains(name)) || Self.isToken(word, name) {
                output += TextRedactor.mark
                isAwaited = false
            } else {
                output += word
                isAwaited = Self.names(name, line[end...])
            }
            place = end
        }
        return output
    }

    /// Whether this word announces a secret in what follows it.
    private static func names(_ name: String, _ rest: ArraySlice<UInt8>) -> Bool {
        if name == "bearer" { return rest.first == 0x20 }
        guard telling.contains(where: { name.contains($0) }) else { return false }
        let marks = rest.prefix(6).prefix { !isPart($0) }
        return marks.contains(UInt8(ascii: "=")) || marks.contains(UInt8(ascii: ":"))
    }

    private static let telling = [
        "password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "private_key",
        "private-key", "access_key", "access-key", "authorization", "cookie", "credential",
    ]
    private static let harmless: Set<String> = ["null", "true", "false", "none", "redacted"]

    /// Tokens whose makers gave them a shape.
    private static func isToken(_ word: ArraySlice<UInt8>, _ name: String) -> Bool {
        guard word.count >= 20 else { return false }
        if prefixes.contains(where: { name.hasPrefix($0) }) { return true }
        // Long, with letters and digits mixed and no dot or slash: base64 or a key of some kind. Hexadecimal ids of events
        // have 32 digits; what is longer is none of ours.
        guard word.count >= 40 else { return false }
        let isPlain = !word.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") }
        let digits = word.count { (0x30...0x39).contains($0) }
        return isPlain && digits >= 4 && digits < word.count
    }

    private static let prefixes = [
        "sk-", "sk_", "ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "xoxa-", "akia",
        "asia",
        "aiza", "eyj", "ya29.", "hf_", "npm_",
    ]

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "."),
            UInt8(ascii: "~"), UInt8(ascii: "%"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "#"):
            true
        // Letters of other scripts.
        case 0x80...: true
        case _: false
        }
    }
}
