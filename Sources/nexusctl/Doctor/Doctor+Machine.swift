import ControlClient
import Glibc
import System

extension Doctor {
    /// What the machine gives: journal, user manager, clock, limits, kernel, ports.
    func machine() -> [Finding] { [journal()] + linger() + boot() + [clock(), files(), kernelVersion()] + ports() }

    private func journal() -> Finding {
        if access("/run/systemd/journal/socket", F_OK) == 0 { return Finding(.ok, "journal", "journald is there") }
        return Finding(.warn, "journal", "no journald here: logs are in files only, `nexusctl logs` reads them")
    }

    /// A supervisor of a user that is not root lives only as long as that user's manager.
    private func linger() -> [Finding] {
        guard user != 0, access("/run/systemd/system", F_OK) == 0, let name = Accounts.name(of: user) else { return [] }
        if access("/var/lib/systemd/linger/" + name, F_OK) == 0 {
            return [Finding(.ok, "linger", "what \(name) runs stays after log-out")]
        }
        return [
            Finding(
                .warn, "linger", "what \(name) runs ends when \(name) logs out, and does not start at boot",
                remedy: "loginctl enable-linger \(name)")
        ]
    }

    /// The unit of the package or of scripts/install has to be enabled once.
    private func boot() -> [Finding] {
        let units = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"]
        guard user == 0, access("/run/systemd/system", F_OK) == 0,
            units.contains(where: { access($0 + "/nexus.service", F_OK) == 0 })
        else { return [] }
        if access(units[0] + "/multi-user.target.wants/nexus.service", F_OK) == 0 {
            return [Finding(.ok, "boot", "nexus.service starts with the machine")]
        }
        return [
            Finding(
                .warn, "boot", "nexus.service does not start with the machine", remedy: "systemctl enable nexus")
        ]
    }

    private static var timeKeeping: String {
        access("/lib/systemd/systemd-timesyncd", X_OK) == 0
            ? "timedatectl set-ntp true" : "apt install systemd-timesyncd"
    }

    private func clock() -> Finding {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        // Before this program was written, or long after: a machine without a battery for its clock.
        guard (1_750_000_000...4_100_000_000).contains(Int64(now.tv_sec)) else {
            let time = WallTime(nanosecondsSince1970: Int64(now.tv_sec) &* 1_000_000_000).rfc3339
            return Finding(
                .bad, "clock", "it says \(time): certificates will not be accepted", remedy: Self.timeKeeping)
        }
        // Whoever keeps it right leaves a trace: systemd-timesyncd, chrony, ntpd, openntpd.
        let keepers = [
            "/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/ntpd.pid", "/run/openntpd.sock",
        ]
        guard keepers.contains(where: { access($0, F_OK) == 0 }) else {
            return Finding(
                .warn, "clock", "it looks right, but nothing here keeps it so", remedy: Self.timeKeeping)
        }
        return Finding(.ok, "clock", "right, and kept so")
    }

    private func files() -> Finding {
        // Every child needs a pidfd, four pipe ends and, as it may be, sockets and cgroup files.
        let children = report?.children.count ?? 0
        let needed = Int64(64 + 12 * children)
        guard let report, let limits = try? kernel.readFile("/proc/\(report.pid)/limits", limit: 16_384) else {
            var own = rlimit()
            getrlimit(__rlimit_resource_t(7), &own)  // RLIMIT_NOFILE
            return Self.files(hard: Int64(clamping: own.rlim_max), needed: needed, "of this shell")
        }
        let line = String(decoding: limits, as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix("Max open files")
        }
        let hard = line?.split(separator: " ").dropLast().last.flatMap { Int64($0) } ?? .max
        return Self.files(hard: hard, needed: needed, "of nexusd")
    }

    private static func files(hard: Int64, needed: Int64, _ whose: String) -> Finding {
        if hard < needed {
            return Finding(
                .bad, "limits", "the hard limit \(whose) is \(hard) open files, about \(needed) are needed",
                remedy: "LimitNOFILE=65536 in the unit, or `ulimit -Hn`")
        }
        return Finding(.ok, "limits", "\(hard == .max ? "any number of" : String(hard)) open files \(whose)")
    }

    private func kernelVersion() -> Finding {
        let text = (try? kernel.readFile("/proc/sys/kernel/osrelease", limit: 256)) ?? []
        let version = String(decoding: text, as: UTF8.self).filter { $0 != "\n" }
        let parts = version.split(separator: ".", maxSplits: 2).compactMap { Int($0.prefix { $0.isNumber }) }
        guard parts.count >= 2, (parts[0], parts[1]) < (5, 14) else {
            return Finding(.ok, "kernel", "Linux \(version)")
        }
        return Finding(
            .warn, "kernel", "Linux \(version) has no cgroup.kill: a fork bomb is ended in rounds",
            remedy: "Debian 12 has Linux 6.1")
    }

    /// Ports that children said they serve: is somebody there, and only on loopback?
    private func ports() -> [Finding] {
        let listening = Listeners(kernel)
        return (report?.children ?? []).flatMap { child -> [Finding] in
            let said = child.values.first { $0.name == "port" }?.value
            guard child.state == "ready", let port = said?.text.flatMap({ UInt16($0) }) else { return [] }
            switch listening.reach(of: port) {
            case nil:
                return [
                    Finding(
                        .warn, "port", "nobody listens on port \(port), which \(child.name) says it serves",
                        remedy: "nexusctl restart \(child.name)")
                ]
            case .loopback: return [Finding(.ok, "port", "\(child.name) listens on port \(port), on loopback only")]
            case .everywhere:
                return [
                    Finding(
                        .warn, "port", "\(child.name) listens on port \(port) for the whole network",
                        remedy: "bind it to 127.0.0.1, unless you mean it")
                ]
            }
        }
    }
}

/// Listening TCP sockets, by /proc/net/tcp and tcp6 (proc(5)).
private struct Listeners {
    enum Reach { case loopback, everywhere }

    private var reaches: [UInt16: Reach] = [:]

    init(_ kernel: LiveKernel) {
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let text = (try? kernel.readFile(file, limit: 8 << 20)) ?? []
            for line in String(decoding: text, as: UTF8.self).split(separator: "\n").dropFirst() {
                // sl local_address rem_address st …; 0A is LISTEN.
                let fields = line.split(separator: " ")
                guard fields.count > 3, fields[3] == "0A", let colon = fields[1].lastIndex(of: ":"),
                    let port = UInt16(fields[1][fields[1].index(after: colon)...], radix: 16)
                else { continue }
                // 127.x.y.z in host order, and ::1.
                let address = fields[1][..<colon]
                let isLoopback =
                    address.count == 8 ? address.hasSuffix("7F") : address == "00000000000000000000000001000000"
                if reaches[port] != .everywhere { reaches[port] = isLoopback ? .loopback : .everywhere }
            }
        }
    }

    func reach(of port: UInt16) -> Reach? { reaches[port] }
}
