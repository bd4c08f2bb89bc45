import Foundation
import Testing

/// `nexusctl update cloudflared`: what carries is kept, what does not is taken back.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks, "needs a network of its own"))
struct TunnelUpdateScenarios {
    /// A tunnel whose program a search finds.
    private func started(mode: String = "named") throws -> TunnelBox {
        let tunnel = try TunnelBox(mode: mode)
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(of: "program = \"\(tunnel.bin)/cloudflared\"\n", with: "")
                .replacingOccurrences(
                    of: "\nNEXUS_TUNNEL_HASTE", with: "\nPATH = \"\(tunnel.bin):/usr/bin:/bin\"\nNEXUS_TUNNEL_HASTE"))
        try tunnel.start()
        if mode != "off" { try tunnel.waitState("connected") }
        return tunnel
    }

    /// Another cloudflared, of this version.
    /// - Parameter run: what it does in place of running a tunnel.
    private func write(_ version: String, _ tunnel: TunnelBox, run: String? = nil) throws -> String {
        let path = tunnel.box.directory + "/cloudflared-" + version
        let run = run ?? "CLOUDFLARED_STANDIN='\(tunnel.bin)/standin' exec '\(StandInTests.standIn)' \"$@\""
        let script = """
            #!/bin/sh
            [ "$1" = version ] && { echo \(version); exit 0; }
            case "$*" in *ingress*) CLOUDFLARED_STANDIN='\(tunnel.bin)/standin' exec '\(StandInTests.standIn)' "$@" ;; esac
            \(run)

            """
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o755)
        return path
    }

    private func program(_ tunnel: TunnelBox) throws -> (path: String?, version: String?) {
        let answer = try tunnel.box.ctl("tunnel", "status", "--json")
        let object = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        return (object?["program"] as? String, object?["version"] as? String)
    }

    @Test func acceptedVersion_carries_andTheOldOneLeadsBack() throws {
        let tunnel = try started()
        let accepted = tunnel.box.state + "/programs/cloudflared/current/cloudflared"
        let first = try tunnel.box.ctl("update", "cloudflared", try write("2026.9.0", tunnel))
        #expect(first.status == 0 && first.output.contains("cloudflared 2026.9.0 is accepted (connected"), "\(first)")
        #expect(try program(tunnel) == (accepted, "2026.9.0"))
        #expect(try tunnel.visit("/").status == "200")
        let second = try tunnel.box.ctl("update", "cloudflared", try write("2026.10.1", tunnel), "--json")
        #expect(second.status == 0 && second.output.contains("\"before\":\"2026.9.0\""), "\(second)")
        #expect(try program(tunnel) == (accepted, "2026.10.1"))
        let back = try tunnel.box.ctl("update", "cloudflared", "--back")
        #expect(back.status == 0, "\(back)")
        #expect(try program(tunnel) == (accepted, "2026.9.0"))
        #expect(try tunnel.box.ctl("update", "--list").output.contains("2026.10.1"))
        #expect(tunnel.box.stop() == 0)
    }

    @Test(arguments: ["exit 3", "never"])
    func versionThatDoesNotCarry_isTakenBack(_ fault: String) throws {
        let tunnel = try started()
        // The stand-in's switches for it alone: all those of the good one, and one more.
        let apart = tunnel.bin + "/apart"
        try FileManager.default.copyItem(atPath: tunnel.bin + "/standin", toPath: apart)
        try "".write(toFile: apart + "/never", atomically: true, encoding: .utf8)
        let run = fault == "never" ? "CLOUDFLARED_STANDIN='\(apart)' exec '\(StandInTests.standIn)' \"$@\"" : fault
        let answer = try tunnel.box.ctl(
            "update", "cloudflared", try write("2026.9.0", tunnel, run: run), "--within", "10s")
        #expect(answer.status == 1 && answer.errors.contains("cloudflared 2026.9.0 is not kept: "), "\(answer)")
        #expect(answer.errors.contains("the cloudflared that a search finds holds again: connected"), "\(answer)")
        #expect(try program(tunnel).path == tunnel.bin + "/cloudflared")
        try tunnel.waitState("connected")
        #expect(try tunnel.visit("/").status == "200")
        try tunnel.box.waitLog("nexusd", "notes of cloudflared: cloudflared 2026.9.0 is not kept: ")
        #expect(tunnel.box.stop() == 0)
    }

    /// What doctor says of updates.
    private func updates(_ tunnel: TunnelBox) throws -> String {
        let lines = try tunnel.box.ctl("doctor").output.split(separator: "\n").filter { $0.contains(" updates") }
        return lines.joined(separator: "\n")
    }

    @Test func whatMayNotBeStarted_orWouldNotBeFound_isRefused() throws {
        let tunnel = try started()
        let pid = try tunnel.box.status().pid("cloudflared")
        let old = try tunnel.box.ctl("update", "cloudflared", try write("2025.1.0", tunnel))
        #expect(old.status == 1 && old.errors.contains("2025.4.0 or newer is needed"), "\(old)")
        let other = try tunnel.box.ctl("update", "cloudflared", "/bin/true")
        #expect(other.status == 1 && other.errors.contains("says no version"), "\(other)")
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        #expect(try tunnel.box.status().pid("cloudflared") == pid)
        #expect(try updates(tunnel) == "")
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "\nmode = \"named\"\n", with: "\nmode = \"named\"\nprogram = \"\(tunnel.bin)/cloudflared\"\n"))
        #expect(try tunnel.box.ctl("reload").status == 0)
        let named = try tunnel.box.ctl("update", "cloudflared", try write("2026.9.0", tunnel))
        #expect(named.status == 1 && named.errors.contains("whatever is accepted"), "\(named)")
        // Nothing was tried, so nothing has failed.
        #expect(try updates(tunnel) == "")
        #expect(try tunnel.box.ctl("update", "--list").output.contains("Nothing was accepted yet"))
        #expect(tunnel.box.stop() == 0)
    }

    @Test func tunnelThatIsOff_getsItWithItsNextStart() throws {
        let tunnel = try started(mode: "off")
        let answer = try tunnel.box.ctl("update", "cloudflared", try write("2026.9.0", tunnel))
        #expect(answer.status == 0 && answer.output.contains("not tried"), "\(answer)")
        #expect(try tunnel.box.ctl("tunnel", "mode", "named").status == 0)
        try tunnel.waitState("connected")
        #expect(try program(tunnel).version == "2026.9.0")
        #expect(tunnel.box.stop() == 0)
    }
}
