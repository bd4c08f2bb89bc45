import Foundation
import Testing

/// reload, diff, choices and last-good with the real nexus-config.
@Suite(.timeLimit(.minutes(2))) struct ReloadScenarios {
    private static func tree(_ more: String = "", web: String = "") -> String {
        """
        [child.web]
        command = ["FIXTURE", "serve"]
        \(web)
        [child.db]
        command = ["FIXTURE", "serve"]
        \(more)
        """
    }

    @Test func reload_showsTheDifference_restartsWhatNeedsIt_andKeepsTheOthers() throws {
        let box = try Box(Self.tree())
        try box.start()
        try box.waitReady()
        let before = try box.status()
        try box.write(Self.tree("[child.new]\ncommand = [\"FIXTURE\", \"serve\"]\n", web: "nice = 5"))
        let diff = try box.ctl("diff")
        #expect(diff.status == 0 && diff.output.contains("! web restarted"), "\(diff.output)\(diff.errors)")
        #expect(diff.output.contains("nice  0 → 5") && diff.output.contains("+ new added"), "\(diff.output)")
        #expect(try box.status().pid("web") == before.pid("web"))
        let reload = try box.ctl("reload")
        #expect(reload.status == 0 && reload.output.hasSuffix("reloaded\n"), "\(reload.output)\(reload.errors)")
        let after = try box.status()
        #expect(after.pid("db") == before.pid("db"))
        #expect(after.pid("web") != before.pid("web"))
        #expect(after.child("new")?.state == "ready")
        #expect(try box.ctl("diff").output == "no difference: 4 children unchanged\n")
        #expect(box.stop() == 0)
    }

    @Test func reloadThatFails_saysWhereTheOthersAre() throws {
        let box = try Box(Self.tree())
        try box.start()
        try box.waitReady()
        let slow = "[child.slow]\ncommand = [\"FIXTURE\", \"serve\"]\nready = \"notify\"\n"
        try box.write(Self.tree(slow + "[child.bad]\ncommand = [\"FIXTURE\", \"exit\", \"64\"]\nready = \"notify\"\n"))
        let reload = try box.ctl("reload")
        #expect(reload.status == 1 && reload.errors.contains("bad: it was given up"), "\(reload)")
        #expect(reload.errors.contains("slow is starting") && !reload.errors.contains("bad is"), "\(reload)")
        #expect(reload.errors.contains("the new file is in force"), "\(reload)")
        let reset = try box.ctl("reset", "all")
        #expect(reset.status == 1 && reset.errors.contains("slow is starting"), "\(reset)")
        let start = try box.ctl("start", "bad", "web")
        #expect(start.status == 1 && !start.errors.contains("bad:\n"), "\(start)")
        #expect(start.errors.contains("nexusctl: bad: it was given up"), "\(start)")
        #expect(box.stop() == 0)
    }

    @Test func reloadThatTakesTooLong_isInForce_andSaysHowFarItIs() throws {
        let box = try Box(Self.tree())
        try box.start()
        try box.waitReady()
        let slow = "[child.slow]\ncommand = [\"FIXTURE\", \"serve\"]\nready = \"notify\"\n"
        for (number, form) in [[], ["--json"]].enumerated() {
            // In force is what was read, and the time is over in the waiting.
            try box.write(
                Self.tree(slow + "[child.new-\(number)]\ncommand = [\"FIXTURE\", \"serve\"]\nready = \"notify\"\n"))
            let answer = try box.begin(["reload", "--timeout", "2s"] + form).wait()
            #expect(answer.status == 5, "\(answer)")
            #expect(answer.errors.contains("the new file is in force; not all is ready within 2s"), "\(answer)")
            #expect(answer.errors.contains("new-\(number) is starting"), "\(answer)")
            #expect(answer.errors.contains("nexusd goes on with it; see: nexusctl status"), "\(answer)")
            if form.isEmpty {
                #expect(answer.output.contains("+ new-0 added") && !answer.output.contains("reloaded"), "\(answer)")
            } else {
                let object = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
                #expect(object?["outcome"] as? String == "timeout" && object?["children"] != nil, "\(answer)")
            }
            #expect(try box.status().child("new-\(number)")?.state == "starting")
        }
        let wrong = try box.ctl("reload", "--timeout", "soon")
        #expect(wrong.status == 2 && wrong.errors.contains("'soon' is no time"), "\(wrong)")
        #expect(box.stop() == 0)
    }

    @Test func refusedFile_changesNothing_andNamesThePlace() throws {
        let box = try Box(Self.tree())
        try box.start()
        try box.waitReady()
        let before = try box.status()
        try box.write(Self.tree(web: "stop-timeot = \"1s\""))
        for verb in ["diff", "reload"] {
            let answer = try box.ctl(verb)
            #expect(answer.status == 2)
            #expect(answer.errors.contains("Supervisor.toml:3:1: error: unknown key 'stop-timeot'"), "\(answer.errors)")
            #expect(answer.errors.contains("did you mean 'stop-timeout'"), "\(answer.errors)")
        }
        #expect(try box.status().pid("web") == before.pid("web"))
        #expect(box.stop() == 0)
    }

    @Test(arguments: ["", "# [child.web] is what it should begin with\n"])
    func fileWithoutAChild_isRefused_andStartsNothing(text: String) throws {
        let box = try Box(Self.tree())
        try box.start()
        try box.waitReady()
        let before = try box.status()
        try box.write(text)
        for verb in ["diff", "reload"] {
            let answer = try box.ctl(verb)
            #expect(answer.status == 2)
            #expect(answer.errors.contains("Supervisor.toml:1:1: error: there is no [child.NAME] in it"))
            #expect(answer.errors.contains("nexusctl stop all"), "\(answer.errors)")
        }
        #expect(try box.status().pid("web") == before.pid("web"))
        #expect(box.stop() == 0)
        #expect(throws: Trouble.self) { try box.start() }
        #expect(box.errors.contains("there is no [child.NAME] in it"), "\(box.errors)")
        try box.start(["--last-good"])
        try box.waitReady()
        #expect(try box.status().child("web")?.state == "ready")
        let status = try box.ctl("status", "--json").output
        #expect(status.contains(#""config":"\#(box.config)","in_force":"\#(box.state)/last-good""#), "\(status)")
        #expect(box.stop() == 0)
    }

    @Test func choice_survivesARestart_andLastGood_untilItIsReset() throws {
        let box = try Box(Self.tree())
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("stop", "web").status == 0)
        #expect(try box.ctl("status").output.contains("stopped by command"))
        #expect(box.stop() == 0)
        try box.start()
        try box.waitReady()
        #expect(try box.status().child("web")?.state == "off")
        #expect(box.stop() == 0)
        // The file is broken meanwhile: last-good has the choice too, and the first line says what is in force and why.
        try box.write("[child.web]\ncomand = [\"x\"]\n")
        #expect(throws: Trouble.self) { try box.start() }
        #expect(box.errors.contains("(\(box.state)/last-good): --last-good starts from it meanwhile"), "\(box.errors)")
        try box.start(["--last-good"])
        try box.waitReady()
        #expect(try box.status().child("web")?.state == "off")
        let first = try box.ctl("status").output.split(separator: "\n").first ?? ""
        #expect(first.contains("last good plan") && first.contains("Supervisor.toml:2:1"), "\(first)")
        // The file is mended: a reload takes it, and the line goes away.
        try box.write(Self.tree())
        let reload = try box.ctl("reload")
        #expect(reload.status == 0, "\(reload.output)\(reload.errors)")
        #expect(try !box.ctl("status").output.contains("last good plan"))
        #expect(try box.ctl("reset", "web").status == 0)
        #expect(try box.status().child("web")?.state == "ready")
        #expect(box.stop() == 0)
        try box.start()
        try box.waitReady()
        #expect(try box.status().child("web")?.state == "ready")
        #expect(box.stop() == 0)
    }

    /// Said when it is found; what is kept for the next start is the plan, not the complaint.
    @Test func damagedChoices_areSaidOnce_andNotByEveryStartFromLastGood() throws {
        let box = try Box(Self.tree())
        try FileManager.default.createDirectory(atPath: box.state, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: box.state)
        try Data("rubbish\n".utf8).write(to: URL(fileURLWithPath: box.state + "/choices"))
        func isSaid() throws -> Bool {
            try box.ctl("status").output.contains("the choices made by command cannot be read")
        }
        try box.start()
        try box.waitReady()
        #expect(try isSaid())
        #expect(box.stop() == 0)
        try box.start(["--last-good"])
        #expect(try !isSaid(), "the file is put right, and moved aside")
        #expect(box.stop() == 0)
        try Data("rubbish\n".utf8).write(to: URL(fileURLWithPath: box.state + "/choices"))
        try box.start()
        #expect(try isSaid())
        #expect(box.stop() == 0)
        try box.write("[child.web]\ncomand = [\"x\"]\n")
        try box.start(["--last-good"])
        #expect(try !isSaid(), "last-good is of a moment that is over")
        #expect(box.stop() == 0)
    }

    @Test func damagedLastGood_isRefused() throws {
        let box = try Box(Self.tree())
        try box.start()
        try box.waitReady()
        #expect(box.stop() == 0)
        let path = URL(fileURLWithPath: box.state + "/last-good")
        var bytes = try Data(contentsOf: path)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: path)
        try box.write("[child.web]\n")
        let answer = try run(
            Programs.path("nexusd"),
            ["--config", box.config, "--state", box.state, "--runtime", box.runtime, "--last-good"])
        #expect(answer.status == 2)
        #expect(answer.errors.contains("Supervisor.toml:1:8") && answer.errors.contains("checksum"), "\(answer.errors)")
        #expect(answer.errors.contains("; remove it, and correct the file instead"), "\(answer.errors)")
    }

    @Test func explain_namesTheValueInForce_andItsPlace() throws {
        let box = try Box(Self.tree(web: "delay = { cap = \"90s\" }"))
        try box.start()
        let explained = try box.ctl("explain", "child.web.delay.cap")
        #expect(explained.status == 0, "\(explained.errors)")
        #expect(explained.output.contains("in force \"90s\"") && explained.output.contains("Supervisor.toml:3"))
        #expect(try box.ctl("explain", "child.db.delay.cap").output.contains("30s  (the default)"))
        #expect(try box.ctl("explain").output.contains("[child.NAME]"))
        let wrong = try box.ctl("explain", "child.web.delay.cop")
        #expect(wrong.status == 2 && wrong.errors.contains("did you mean 'cap'"), "\(wrong.errors)")
        try box.write(Self.tree(web: "delay = { cap = \"45s\" }"))
        let edited = try box.ctl("explain", "child.web.delay.cap").output
        #expect(edited.contains("in force 90s") && edited.contains("in file  \"45s\"") && edited.contains("reload"))
        #expect(try box.ctl("stop", "web").status == 0)
        let chosen = try box.ctl("explain", "child.web.enabled").output
        #expect(chosen.contains("in force false") && chosen.contains("nexusctl reset web"), "\(chosen)")
        try box.write("[child.web]\ncommand = 5\n")
        let refused = try box.ctl("explain", "child.web.delay.cap", "--json").output
        #expect(refused.contains(#""in_force":"90s","file":"differs""#), "\(refused)")
        try box.write(Self.tree(web: "delay = { cap = \"90s\" }"))
        let json = try box.ctl("check", "--json", box.config)
        #expect(json.status == 0 && json.output.contains(#""ok":true"#), "\(json.output)")
        #expect(box.stop() == 0)
    }
}
