/// A browser that was let in once and comes again with a token.
public struct Device: Hashable, Sendable {
    /// Id.
    public var id: DeviceID
    /// What its owner called it.
    public var name: String
    /// What it may do.
    public var role: DeviceRole
    /// Milliseconds since 1970: when it was paired.
    public var created: Int64
    /// Milliseconds since 1970: when it was here last, to a minute.
    public var seen: Int64
    /// The address it was seen at last.
    public var address: String
    /// SHA-256 of what its page says beside the cookie; nil: the cookie is enough.
    public var keyHash: [UInt8]?

    /// All fields.
    public init(
        id: DeviceID, name: String, role: DeviceRole, created: Int64, seen: Int64, address: String,
        keyHash: [UInt8]? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.created = created
        self.seen = seen
        self.address = address
        self.keyHash = keyHash
    }
}

/// A device: six characters that a person can read out and type. No secret.
public struct DeviceID: Hashable, Sendable, Codable, CustomStringConvertible {
    /// As people type it.
    public let rawValue: String

    private static let length = 6

    /// Wraps what was read back, or typed.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A new one.
    public static func random(using generator: inout some RandomNumberGenerator) -> DeviceID {
        DeviceID(rawValue: ReadableText.random(length, using: &generator))
    }

    /// A plain JSON string.
    public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(String.self) }

    /// A plain JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// The same.
    public var description: String { rawValue }
}

/// What a device may do.
public enum DeviceRole: String, Hashable, Sendable, Codable, CaseIterable {
    /// Everything: chat, the appliance, other devices.
    case owner
    /// Chat only.
    case chatOnly = "chat-only"
}

/// Random text that people read out and type: Crockford's Base32, whose letters do not look like its digits.
public enum ReadableText {
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")

    /// Five bits a character.
    public static func random(_ length: Int, using generator: inout some RandomNumberGenerator) -> String {
        String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }

    /// What was typed, as it was meant: lower case, without spaces and hyphens, o as 0, i and l as 1.
    public static func meant(_ typed: String) -> String {
        String(
            typed.lowercased().compactMap { character -> Character? in
                switch character {
                case " ", "-": nil
                case "o": "0"
                case "i", "l": "1"
                case _: character
                }
            })
    }
}
