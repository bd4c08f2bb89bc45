import Wire

extension String {
    /// The text without these secrets, for what a child says of itself to be shown: a guard against accidents, as that of
    /// log-writer. The text may be cut off, so that what may be the beginning of a secret at its end goes too.
    func blotting(_ secrets: [String]) -> String {
        var text = self
        for secret in secrets {
            // Control characters of a text that is shown were replaced before it came here.
            for line in secret.split(separator: "\n") where line.utf8.count >= LogStream.shortestRedaction {
                text = text.blotting(Array(line.utf8))
            }
        }
        return text
    }

    private func blotting(_ secret: [UInt8]) -> String {
        let bytes = Array(utf8)
        var clean: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let length = zip(bytes[index...], secret).prefix { $0 == $1 }.count
            let isCut = index + length == bytes.count && length >= LogStream.shortestRedaction
            guard length == secret.count || isCut else {
                clean.append(bytes[index])
                index += 1
                continue
            }
            clean += Array("[redacted]".utf8)
            index += length
        }
        return String(decoding: clean, as: UTF8.self)
    }
}
