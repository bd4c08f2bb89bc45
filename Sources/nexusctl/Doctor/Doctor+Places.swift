import ControlClient
import Glibc
import System

extension Doctor {
    /// The two directories: there, whose, how full.
    func places() -> [Finding] {
        [directory("state directory", place.state, option: "--state")]
            + space(place.state, "disk", short: 512 << 20, empty: 32 << 20)
            + [directory("runtime directory", place.runtime, option: "--runtime"), socketPath()] + credentials()
    }

    /// The directory that the package's unit hands on to systemd, for the nexusd of that unit.
    private func credentials() -> [Finding] {
        let (path, subject) = ("/etc/nexus/credentials", "credentials")
        guard place.runtime == "/run/nexus", let status = try? kernel.status(path, followingLinks: true) else {
            return []
        }
        if status.user != 0 || status.mode & 0o077 != 0 {
            return [
                Finding(
                    .bad, subject,
                    "\(path): others than root may look at it (mode \(String(status.mode & 0o7777, radix: 8)))",
                    remedy: "chown root \(path) && chmod 700 \(path)")
            ]
        }
        guard let names = try? kernel.list(path) else { return [] }
        let bytes = names.reduce(0) {
            $0 + Int64((try? kernel.status("\(path)/\($1)", followingLinks: true).size) ?? 0)
        }
        guard bytes > Self.credentialsLimit else { return [] }
        return [
            Finding(
                .bad, subject,
                "\(path) has \(ByteText.spoken(bytes)): systemd takes 1 MiB in all, and starts no unit with more",
                remedy: "take what is no secret out of it, then: systemctl restart nexus")
        ]
    }

    /// CREDENTIALS_TOTAL_SIZE_MAX of systemd.
    private static let credentialsLimit: Int64 = 1 << 20

    private func directory(_ subject: String, _ path: String, option: String) -> Finding {
        let status: FileStatus
        do {
            status = try kernel.status(path, followingLinks: true)
        } catch  where error == .noAccess && user != geteuid() {
            return Finding(
                .warn, subject, "\(path): not judged, for uid \(geteuid()) may not look at it",
                remedy: "ask as root or as uid \(user), which nexusd runs as")
        } catch {
            let level: Finding.Level = report == nil && error == .noEntry ? .warn : .bad
            return Finding(
                level, subject, "\(path): \(error)",
                remedy: "nexusd makes it when it starts; if it lies elsewhere, say so: \(option) DIR")
        }
        guard status.kind == .directory else {
            return Finding(.bad, subject, "\(path) is no directory", remedy: "move it away and restart nexusd")
        }
        if status.user != user {
            return Finding(
                .bad, subject, "\(path) belongs to uid \(status.user), nexusd runs as uid \(user)",
                remedy: "chown \(user) \(path)")
        }
        if status.mode & 0o022 != 0 {
            return Finding(
                .bad, subject, "\(path): others may write into it (mode \(String(status.mode & 0o7777, radix: 8)))",
                remedy: "chmod go-w \(path)")
        }
        return Finding(.ok, subject, path)
    }

    /// What is left on the file system that a path is on, or that the nearest directory above it is on.
    private func space(_ path: String, _ subject: String, short: UInt64, empty: UInt64) -> [Finding] {
        var place = path
        var facts = statvfs()
        while statvfs(place, &facts) != 0 {
            guard let slash = place.lastIndex(of: "/"), place != "/" else { return [] }
            place = slash == place.startIndex ? "/" : String(place[..<slash])
        }
        let free = UInt64(facts.f_bavail) * UInt64(facts.f_frsize)
        let words = "\(ByteText.spoken(Int64(clamping: free))) free on the disk of \(place)"
        let inodes = facts.f_files > 0 && facts.f_favail < 1000
        let remedy =
            "make room: `du -xh \(place) | sort -h | tail` shows what takes it; a lower `total` in [log] and"
            + " `nexusctl reload` shrink the logs, `journalctl --vacuum-size=200M` the journal"
        if free < empty || (inodes && facts.f_favail < 10) { return [Finding(.bad, subject, words, remedy: remedy)] }
        if free < short || inodes {
            return [Finding(.warn, subject, words + (inodes ? ", few inodes" : ""), remedy: remedy)]
        }
        return [Finding(.ok, subject, words)]
    }

    private func socketPath() -> Finding {
        // unix(7): sun_path has 108 bytes, the NUL included; notify sockets have the longest names.
        let longest = place.runtime.utf8.count + "/notify/".utf8.count + 32
        guard longest > 107 else {
            return Finding(.ok, "socket paths", "short enough below \(place.runtime)")
        }
        return Finding(
            .bad, "socket paths", "\(place.runtime) is too long for sockets below it (at most 107 bytes)",
            remedy: "choose a shorter --runtime DIR")
    }
}
