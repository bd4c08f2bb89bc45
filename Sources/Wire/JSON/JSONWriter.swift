/// Writes JSON (RFC 8259) as UTF-8, front to back, without building a tree first. Commas come by themselves.
///
///     var json = JSONWriter()
///     json.object {
///         $0.field("name", "web")
///         $0.array("notes") { for note in notes { $0.value(note) } }
///     }
public struct JSONWriter: Sendable {
    /// What was written so far; one complete value at the end.
    public private(set) var bytes: [UInt8] = []

    /// Empty; `capacity` is what the caller expects to write.
    public init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    // MARK: - Values: the elements of an array, or the whole document

    /// An object; `body` writes its fields.
    public mutating func object(_ body: (inout JSONWriter) -> Void) { nested("{", "}", body) }

    /// An array; `body` writes its values.
    public mutating func array(_ body: (inout JSONWriter) -> Void) { nested("[", "]", body) }

    /// A string, or null.
    public mutating func value(_ text: String?) {
        separate()
        if let text { append(quoting: text) } else { append("null") }
    }

    /// A whole number, or null.
    public mutating func value(_ number: (some FixedWidthInteger)?) {
        separate()
        if let number { append(number) } else { append("null") }
    }

    /// true or false.
    public mutating func value(_ flag: Bool) {
        separate()
        append(flag ? "true" : "false")
    }

    /// JSON that was written elsewhere; the caller vouches that it is one complete value.
    public mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    // MARK: - Fields of an object

    /// A string, or null.
    public mutating func field(_ name: String, _ text: String?) {
        key(name)
        value(text)
    }

    /// A whole number, or null.
    public mutating func field(_ name: String, _ number: (some FixedWidthInteger)?) {
        key(name)
        value(number)
    }

    /// true or false.
    public mutating func field(_ name: String, _ flag: Bool) {
        key(name)
        value(flag)
    }

    /// A string made of bytes from outside; what is not UTF-8 becomes U+FFFD.
    public mutating func field(_ name: String, repairing utf8: some Collection<UInt8>) {
        key(name)
        value(String(decoding: utf8, as: UTF8.self))
    }

    /// An object as a field.
    public mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
        key(name)
        object(body)
    }

    /// An array as a field.
    public mutating func array(_ name: String, _ body: (inout JSONWriter) -> Void) {
        key(name)
        array(body)
    }

    /// null as a field.
    public mutating func null(_ name: String) { field(name, String?.none) }

    /// A field with JSON that was written elsewhere.
    public mutating func raw(_ name: String, _ json: some Sequence<UInt8>) {
        key(name)
        raw(json)
    }

    // MARK: - Bytes

    private mutating func nested(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(UInt8(ascii: open))
        body(&self)
        bytes.append(UInt8(ascii: close))
    }

    private mutating func key(_ name: String) {
        separate()
        append(quoting: name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// The last byte says whether a comma is due: a finished value never ends in one of these three.
    private mutating func separate() {
        switch bytes.last {
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"): break
        case _: bytes.append(UInt8(ascii: ","))
        }
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ number: some FixedWidthInteger) {
        bytes.append(contentsOf: number.description.utf8)
    }

    private mutating func append(quoting text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            var plain = 0
            var index = 0
            while index < utf8.count {
                let length = JSONWriter.escapedLength(utf8, index)
                if length > 0 {
                    bytes.append(contentsOf: utf8[plain..<index])
                    append(escaping: utf8[index..<index + length])
                    plain = index + length
                }
                index += max(1, length)
            }
            bytes.append(contentsOf: utf8[plain...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// What JSON must escape, and what may stand in it as it is (DEL, C1, marks of direction): answers end up on terminals.
    private static func escapedLength(_ utf8: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int {
        switch utf8[index] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): 1
        case _: ControlText.length(in: utf8, at: index)
        }
    }

    private mutating func append(escaping character: Slice<UnsafeBufferPointer<UInt8>>) {
        switch character.first {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case UInt8(ascii: "\n"): append("\\n")
        case UInt8(ascii: "\r"): append("\\r")
        case UInt8(ascii: "\t"): append("\\t")
        case _:
            for scalar in String(decoding: character, as: UTF8.self).unicodeScalars {
                bytes.append(contentsOf: ControlText.jsonEscape(scalar).utf8)
            }
        }
    }
}
