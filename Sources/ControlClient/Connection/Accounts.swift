import Glibc

/// Names of users and groups. Read from their files by hand: a static program has no NSS (getpwuid would load shared libraries).
public enum Accounts {
    /// The name of that uid; nil if /etc/passwd has none.
    public static func name(of uid: UInt32) -> String? {
        first(in: "/etc/passwd") { UInt32($0[2]) == uid }.map { String($0[0]) }
    }

    /// The name of that gid; nil if /etc/group has none.
    public static func groupName(of gid: UInt32) -> String? {
        first(in: "/etc/group") { UInt32($0[2]) == gid }.map { String($0[0]) }
    }

    /// Of whose home a path is a part: of a person's, or root's; the nearest.
    public static func home(above path: String) -> (name: String, uid: UInt32)? {
        var nearest: (name: String, uid: UInt32, length: Int)?
        _ = first(in: "/etc/passwd") { fields in
            guard fields.count > 5, let uid = UInt32(fields[2]), uid == 0 || uid >= 1000 else { return false }
            let home = String(fields[5])
            guard home.hasPrefix("/"), home != "/", path == home || path.hasPrefix(home + "/") else { return false }
            if home.count > nearest?.length ?? 0 { nearest = (String(fields[0]), uid, home.count) }
            return false
        }
        return nearest.map { ($0.name, $0.uid) }
    }

    /// The first line that is meant, in its fields (passwd(5): name:password:uid:gid:comment:home:shell; group(5):
    /// name:password:gid:members).
    private static func first(in path: String, _ isMeant: ([Substring]) -> Bool) -> [Substring]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let text = line {
            let fields = String(cString: text).split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 3, isMeant(fields) { return fields }
        }
        return nil
    }
}
