import Glibc

/// Names of users. Read from /etc/passwd by hand: a static program has no NSS (getpwuid would load shared libraries).
public enum Accounts {
    /// The name of that uid; nil if /etc/passwd has none.
    public static func name(of uid: UInt32) -> String? {
        guard let file = fopen("/etc/passwd", "re") else { return nil }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let text = line {
            // passwd(5): name:password:uid:…
            let fields = String(cString: text).split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
            if fields.count == 4, UInt32(fields[2]) == uid { return String(fields[0]) }
        }
        return nil
    }
}
