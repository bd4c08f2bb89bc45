/// A code by which a device that is known comes in again where its browser has no cookie: under another address. Good for that
/// device alone, once.
public struct ReturnCode: Hashable, Sendable {
    /// Characters of a code: 100 bits. Nobody types it, and it is good for longer than a pairing code.
    public static let length = 20
    /// How long it is good: as long as words are tried to be brought. Milliseconds.
    static let lifetime: Int64 = 12 * 3_600_000
    /// Wrong passwords that it takes; then it is worth nothing.
    static let passwordTries = 5

    /// What the link holds.
    public let text: String
    /// What the store keeps of it.
    public let hash: [UInt8]

    /// Both; `hash` is that of `ReadableText.meant(text)`.
    public init(text: String, hash: [UInt8]) {
        self.text = text
        self.hash = hash
    }

    /// The page under an address, with the code behind `#`, which browsers send to nobody.
    func link(to url: String) -> String { "\(url)/#again=\(text)" }
}
