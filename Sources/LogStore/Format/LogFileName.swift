/// The names below the log directory: `runs` (the book of runs), `lock`, and a directory a child with `current` and the
/// rotated files, which are named by the instant of their rotation and so sort by age, compressed or not.
enum LogFileName {
    static let current = "current"
    static let book = "runs"
    /// A book that was damaged; no child has a dot in its name.
    static let damagedBook = "runs.damaged"
    static let lock = "lock"
    /// The directory of nexusd's own events.
    static let supervisor = "nexusd"

    /// `@20261123T040506.123456Z.log`
    static func rotated(at stamp: WallStamp) -> String {
        "@" + stamp.description.filter { $0 != "-" && $0 != ":" } + ".log"
    }

    /// Stands behind the name of a rotated file that was compressed.
    static let compressed = ".zst"
    /// Stands behind the name of one that is being compressed.
    static let unfinished = ".zst.new"

    /// True for what `rotated` makes.
    static func isRotated(_ name: String) -> Bool {
        name.utf8.count == 28 && name.hasPrefix("@") && name.hasSuffix("Z.log")
    }

    /// The name that `rotated` made for this file, compressed or not; nil for other files.
    static func rotated(_ name: String) -> String? {
        let plain = name.hasSuffix(compressed) ? String(name.dropLast(compressed.utf8.count)) : name
        return isRotated(plain) ? plain : nil
    }

    /// The instant in a name that `rotated` made.
    static func stamp(of name: String) -> WallStamp? {
        guard isRotated(name) else { return nil }
        // Back to the form with dashes and colons: 0-0-0T0:0:0.
        var text = Array(name.utf8.dropFirst().dropLast(4))
        for (place, mark) in [(4, "-"), (7, "-"), (13, ":"), (16, ":")] {
            text.insert(contentsOf: mark.utf8, at: place)
        }
        return WallStamp(text)
    }

    /// True for what may be a child's directory: 1 to 64 of [A-Za-z0-9._-], not beginning with a dot. The name comes from
    /// nexusd, but it becomes a path, and a path is never taken on trust.
    static func isChild(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), !name.hasPrefix("."), name != book, name != lock else { return false }
        return name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            case _: false
            }
        }
    }
}
