/// A name that browsers can be sent to: the one rule of the file and of whoever sends them there.
public enum HostName {
    /// RFC 1123, section 2.1, of RFC 952: labels of letters, digits and inner hyphens, at least two; with the lengths of RFC 1035:
    /// 253 bytes, 63 a label. The last one is no number (RFC 1123, 2.1): `192.0.2.5` is an address, to which no edge brings anybody.
    /// Nor is it one of those that lead into the own machine or network alone.
    public static func isValid(_ name: String) -> Bool {
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isAddress = labels.last?.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? true
        return labels.count >= 2 && name.utf8.count <= 253 && labels.allSatisfy(isLabel) && !isAddress
            && !isLocal(name)
    }

    /// RFC 6761 (localhost), 6762 (local), 8375 (home.arpa), and what ICANN has set aside for private use (internal).
    private static func isLocal(_ name: String) -> Bool {
        let name = "." + name.lowercased()
        return [".localhost", ".local", ".home.arpa", ".internal"].contains { name.hasSuffix($0) }
    }

    private static func isLabel(_ label: some Collection<UInt8>) -> Bool {
        let hyphen = UInt8(ascii: "-")
        let isWord = label.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), hyphen:
                true
            case _: false
            }
        }
        return (1...63).contains(label.count) && isWord && label.first != hyphen && label.reversed().first != hyphen
    }
}
