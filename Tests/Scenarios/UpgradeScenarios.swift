import Foundation
import Testing

/// nexusctl upgrade with the real programs: nexusd goes on, and nobody notices.
@Suite(.timeLimit(.minutes(2))) struct UpgradeScenarios {
    private static let tree = """
        [child.web]
        command = ["FIXTURE", "serve"]
        [child.off]
        command = ["FIXTURE", "serve"]
        """

    @Test func upgrade_keepsEveryProcessAndChoice_andTheNextNexusdDoesItsWork() throws {
        let box = try Box(Self.tree)
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("stop", "off").status == 0)
        let before = try box.status()
        for _ in 0..<2 {
            let upgrade = try box.ctl("upgrade")
            #expect(upgrade.status == 0 && upgrade.output.contains("goes on in place of"), "\(upgrade)")
        }
        let json = try box.ctl("upgrade", "--json")
        #expect(json.status == 0 && json.output.contains(#""number":3,"outcome":"done""#), "\(json)")
        let after = try box.status()
        for name in ["log-writer", "web"] { #expect(after.pid(name) == before.pid(name), "\(name)") }
        #expect(after.child("off")?.state == "off")
        #expect(try box.ctl("status").output.contains("went on in place of"))
        #expect(try box.ctl("start", "off").status == 0)
        #expect(try box.ctl("reload").status == 0)
        #expect(try box.ctl("restart", "web").status == 0)
        #expect(try box.status().pid("web") != before.pid("web"))
        #expect(try box.ctl("events", "-n", "200").output.contains("goes on in place of"))
        #expect(box.stop() == 0)
    }

    /// As a package manager replaces it: by another file in its place.
    @Test func programReplacedOnTheDisk_isSaidByDoctorUntilTheChildIsRestarted() throws {
        let box = try Box(
            """
            [child.old]
            command = ["DIR/program", "serve"]
            [child.web]
            command = ["FIXTURE", "serve"]
            """)
        let program = box.directory + "/program"
        try FileManager.default.copyItem(atPath: Programs.fixture, toPath: program)
        try box.start()
        try box.waitReady()
        let words = "runs the program of before the upgrade: old"
        #expect(try !box.ctl("doctor").output.contains("of before the upgrade"))
        try FileManager.default.copyItem(atPath: program, toPath: program + ".new")
        #expect(rename(program + ".new", program) == 0)
        let found = try box.ctl("doctor", "--json").output
        #expect(found.contains("\"\(words)\"") && found.contains("nexusctl restart old, when it suits"), "\(found)")
        #expect(try box.ctl("restart", "old").status == 0)
        #expect(try !box.ctl("doctor").output.contains("of before the upgrade"))
        // What is merely gone leaves nothing to restart with.
        try FileManager.default.removeItem(atPath: program)
        #expect(try !box.ctl("doctor").output.contains("of before the upgrade"))
        #expect(box.stop() == 0)
    }

    @Test func upgradeWithoutNexusd_saysThatNoneRuns() throws {
        let box = try Box(Self.tree)
        #expect(try box.ctl("upgrade").status == 3)
    }
}
