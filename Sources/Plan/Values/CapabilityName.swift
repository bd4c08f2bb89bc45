import Wire

/// Capabilities by name; numbers of linux/capability.h.
public enum CapabilityName {
    /// In the order of their numbers, without CAP_.
    public static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]

    /// `NET_RAW`, `CAP_NET_RAW` or `cap_net_raw`.
    public static func number(_ text: String) -> UInt8? {
        let name = plain(text)
        return names.firstIndex { $0 == name }.map { UInt8($0) }
    }

    /// What may have been meant.
    public static func hint(_ text: String) -> String {
        let hint = Nearest.hint(for: plain(text), among: names)
        return hint.isEmpty ? "; capabilities(7) lists them" : hint
    }

    /// `[NET_ADMIN, NET_RAW]`: a set of bits, each the number of one.
    public static func show(_ bits: UInt64) -> String {
        (0..<64).filter { bits >> UInt64($0) & 1 == 1 }.list { $0 < names.count ? names[$0] : "\($0)" }
    }

    private static func plain(_ text: String) -> String {
        let upper = text.uppercased()
        return upper.hasPrefix("CAP_") ? String(upper.dropFirst(4)) : upper
    }
}
