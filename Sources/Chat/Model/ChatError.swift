/// Why a request of a client was not done; the words are for the user.
public struct ChatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure.
    public enum Code: Hashable, Sendable {
        /// No such session: it was deleted, or never was.
        case noSession
        /// No such turn, or something else that is not there (any more).
        case unknown
        /// The request makes no sense as it stands.
        case badRequest
        /// Not allowed now; the words say until when.
        case refused
        /// Too much at once.
        case busy
        /// chat-bridge ends; the same can be asked again when it is back.
        case stopping
        /// Tried and failed.
        case failed
    }

    /// Kind.
    public let code: Code
    /// Words.
    public let message: String

    /// Both.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The words.
    public var description: String { message }
}
