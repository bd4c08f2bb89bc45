/// `64KiB`, `10MB`, `4096` (bytes): powers of 1000 and, with an i, of 1024.
public enum SizeText {
    private static let units: [(name: String, bytes: UInt64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("KB", 1000), ("B", 1),
    ]

    /// What a person should write instead.
    public static let form = "a size such as \"64KiB\", \"10MB\" or \"2GiB\""

    /// nil: not a size, or above 2^63.
    public static func parse(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = UInt64(digits) else { return nil }
        let unit = name.isEmpty ? 1 : units.first { $0.name == name }?.bytes ?? 0
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
        return unit == 0 || overflow || bytes > UInt64(Int64.max) ? nil : bytes
    }

    /// The shortest form.
    public static func show(_ bytes: UInt64) -> String {
        var best = String(bytes)
        for unit in units where bytes > 0 && bytes % unit.bytes == 0 && unit.name != "KB" && unit.bytes > 1 {
            let text = "\(bytes / unit.bytes)\(unit.name)"
            if text.count < best.count || best == String(bytes) { best = text }
        }
        return best
    }
}
