/// nexus.service shows nexusd, and who judges for it, nothing of anybody's home (ProtectHome=tmpfs): what lies there and can be seen
/// from a terminal is missing for them.
enum HiddenHome {
    /// Whether a missing path may be one of those: it lies where homes are, and not even the home is seen.
    static func mayHide(_ path: String, from host: any Machine) -> Bool {
        for above in ["/home/", "/root/", "/run/user/"] where path.hasPrefix(above) {
            let home = above + path.dropFirst(above.count).prefix { $0 != "/" }
            return host.status(home) == nil
        }
        return false
    }
}
