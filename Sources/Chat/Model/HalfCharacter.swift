/// Half a character: an escape of JSON that names one of two surrogates without the other (RFC 8259, 8.2). No text can hold
/// it, and readers of JSON do not agree on what becomes of it.
public enum HalfCharacter {
    /// What is wrong with JSON that has one in it, in words; nil: there is none. The JSON may be no JSON otherwise.
    public static func objection(to json: [UInt8]) -> String? {
        guard let place = place(in: json) else { return nil }
        let escape = String(decoding: json[place..<place + 6], as: UTF8.self)
        return
            "a text in it holds half a character (\(escape), a surrogate without the other one): remove it, or cut the "
            + "text between whole characters"
    }

    private static func place(in json: [UInt8]) -> Int? {
        var index = 0
        while let next = json[index...].firstIndex(of: UInt8(ascii: "\\")) {
            switch unit(json, next) {
            case (0xD800...0xDBFF)?:
                guard case (0xDC00...0xDFFF)? = unit(json, next + 6) else { return next }
                index = next + 12
            case (0xDC00...0xDFFF)?: return next
            case _?: index = next + 6
            // Another escape: what stands behind the sign is no beginning of one.
            case nil: index = min(next + 2, json.count)
            }
        }
        return nil
    }

    /// What `\uXXXX` at a place names.
    private static func unit(_ json: [UInt8], _ place: Int) -> UInt16? {
        guard place + 6 <= json.count, json[place] == UInt8(ascii: "\\"), json[place + 1] == UInt8(ascii: "u"),
            json[place + 2] != UInt8(ascii: "+"), json[place + 2] != UInt8(ascii: "-")
        else { return nil }
        return UInt16(String(decoding: json[place + 2..<place + 6], as: UTF8.self), radix: 16)
    }
}
