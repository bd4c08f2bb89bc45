import COpenSSL

/// What OpenSSL could not do, and its own words for why.
public struct CryptographyFailure: Error, CustomStringConvertible {
    /// One line for the log.
    public let description: String

    /// Takes the oldest error of this thread's queue and empties it, so that the next failure does not tell of this one.
    /// - Parameter what: what was tried, after "cannot".
    public init(_ what: String) {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else {
            description = "OpenSSL cannot \(what)"
            return
        }
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &text, text.count)
        let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        description = "OpenSSL cannot \(what): \(words)"
    }
}
