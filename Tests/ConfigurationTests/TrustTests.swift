import Testing

@testable import NexusConfiguration

/// What root's nexusd would run, and who else could have put it there.
@Suite(.timeLimit(.minutes(1))) struct TrustTests {
    private static let directory = FileStatus(kind: .directory, mode: 0o755, owner: 0, group: 0)
    private static let program = FileStatus(kind: .regular, mode: 0o755, owner: 0, group: 0)

    private func host(_ files: [String: FileStatus], links: [String: String] = [:]) -> FakeMachine {
        var host = FakeMachine.root
        for (path, status) in files { host.files[path] = status }
        host.links = links
        return host
    }

    private func changed(_ status: FileStatus, mode: UInt32? = nil, owner: UInt32 = 0, group: UInt32 = 0) -> FileStatus
    {
        FileStatus(kind: status.kind, mode: mode ?? status.mode, owner: owner, group: group)
    }

    private func words(_ host: FakeMachine, user: String? = nil, enabled: Bool = true) -> String {
        host.diagnostics(
            """
            [child.web]
            command = ["/opt/app/run"]
            enabled = \(enabled)
            \(user.map { "user = \"\($0)\"" } ?? "")
            """)
    }

    @Test func programOfRootAlone_isRun() {
        #expect(words(host(["/opt": Self.directory, "/opt/app": Self.directory, "/opt/app/run": Self.program])) == "")
    }

    /// nexusd as root reads it at each start, through links: who owns the directory would have it read any file of the machine.
    @Test func secretWhereOthersMayPutALink_isRefused() {
        let text = "[secret.s]\nfile = \"/srv/web/token\"\n[child.a]\ncommand = [\"/bin/true\"]\nsecrets = [\"s\"]\n"
        let secret = FileStatus(kind: .regular, mode: 0o600, owner: 33, group: 33, size: 32)
        let theirs = host(["/srv/web": changed(Self.directory, owner: 33), "/srv/web/token": secret])
        #expect(
            theirs.diagnostics(text)
                == "Supervisor.toml:2:8: error: '/srv/web' belongs to uid 33, and nexusd runs as root; chown it to root, or keep"
                + " the secret elsewhere: a link put there would hand out any file")
        // A file of theirs where they can put no link.
        #expect(host(["/srv/web/token": secret]).diagnostics(text) == "")
        let linked = host(
            ["/srv/web/token": secret, "/opt/x": changed(Self.directory, owner: 33), "/opt/x/token": secret],
            links: ["/srv/web/token": "/opt/x/token"])
        #expect(linked.diagnostics(text).contains("'/opt/x' belongs to uid 33"))
    }

    /// With the sticky bit nobody removes another's, and everybody may exchange what is his own.
    @Test func secretInADirectoryThatOthersShare_hasToBeRoots() {
        let text = "[secret.s]\nfile = \"/srv/s/token\"\n[child.a]\ncommand = [\"/bin/true\"]\nsecrets = [\"s\"]\n"
        let shared = FileStatus(kind: .directory, mode: 0o1777, owner: 0, group: 0)
        func secret(_ owner: UInt32) -> FileStatus {
            FileStatus(kind: .regular, mode: 0o600, owner: owner, group: owner, size: 32)
        }
        let theirs = host(["/srv/s": shared, "/srv/s/token": secret(33)]).diagnostics(text)
        #expect(theirs.contains("belongs to uid 33 and lies in '/srv/s', where its owner may put a link in its place"))
        #expect(host(["/srv/s": shared, "/srv/s/token": secret(0)]).diagnostics(text) == "")
        let linked = host(["/srv/s": shared, "/etc/nexus/t": secret(0)], links: ["/srv/s/token": "/etc/nexus/t"])
        #expect(linked.diagnostics(text).contains("'/srv/s/token' is a link in '/srv/s'"))
    }

    /// A link of root's that leads to where others may put links.
    @Test func environmentFileAndSocketBehindALink_areLookedAtWhereTheyAre() {
        let file = FileStatus(kind: .regular, mode: 0o600, owner: 0, group: 0)
        var behind = host(
            [
                "/srv/web": changed(Self.directory, owner: 33), "/srv/web/env": file,
                "/srv/web/sockets": Self.directory,
            ],
            links: ["/etc/nexus/env": "/srv/web/env", "/run/sockets": "/srv/web/sockets"])
        behind.contents["/etc/nexus/env"] = Array("A=1\n".utf8)
        behind.files["/etc/nexus/env"] = file
        let child = "[child.a]\ncommand = [\"/bin/true\"]\n"
        let words = "'/srv/web' belongs to uid 33, and nexusd runs as root; chown it to root"
        #expect(
            behind.diagnostics(child + "environment-files = [\"/etc/nexus/env\"]\n")
                == "Supervisor.toml:3:22: error: '/etc/nexus/env': \(words)")
        #expect(
            behind.diagnostics(child + "sockets = [{ name = \"x\", listen = \"/run/sockets/x\" }]\n")
                == "Supervisor.toml:3:35: error: the directory of the socket: \(words)")
    }

    @Test func programThatOthersMayWrite_isRefused() {
        let place = "Supervisor.toml:2:12: error: "
        let everybody = host(["/opt/app/run": changed(Self.program, mode: 0o757)])
        #expect(
            words(everybody)
                == place + "everybody may write '/opt/app/run', and nexusd runs as root; chmod o-w it")
        let group = host(["/opt/app/run": changed(Self.program, mode: 0o775, group: 4)])
        #expect(
            words(group) == place
                + "group 4 may write '/opt/app/run', and nexusd runs as root; chmod g-w it, or chgrp it to root")
        let owner = host(["/opt/app/run": changed(Self.program, owner: 1000)])
        #expect(
            words(owner) == place + "'/opt/app/run' belongs to uid 1000, and nexusd runs as root; chown it to root")
        // It is off: said, and never an executable in the plan.
        #expect(words(owner, enabled: false) == "")
    }

    @Test func directoryAbove_countsLikeTheProgram_butForTheStickyBit() {
        let program = ["/opt/app/run": Self.program]
        let open = program.merging(["/opt": changed(Self.directory, mode: 0o777)]) { $1 }
        #expect(words(host(open)).contains("everybody may write '/opt',"))
        let sticky = program.merging(["/opt": changed(Self.directory, mode: 0o1777)]) { $1 }
        #expect(words(host(sticky)) == "")
    }

    @Test func everyLinkOnTheWay_counts() {
        let files = [
            "/opt": Self.directory, "/opt/app": Self.directory, "/srv/web": changed(Self.directory, owner: 33),
            "/srv/web/run": Self.program,
        ]
        #expect(
            words(host(files, links: ["/opt/app/run": "/srv/web/run"])).contains("'/srv/web' belongs to uid 33,"))
        let between = ["/opt/app/run": "/srv/web/link", "/srv/web/link": "/bin/true"]
        #expect(words(host(files, links: between)).contains("'/srv/web' belongs to uid 33,"))
    }

    @Test func childsOwnUser_mayOwnItsProgram() {
        let files = ["/opt/app": changed(Self.directory, owner: 33), "/opt/app/run": changed(Self.program, owner: 33)]
        #expect(words(host(files), user: "web") == "")
        #expect(words(host(files), user: "ann").contains("belongs to uid 33"))
    }

    @Test func withoutRoot_nobodyIsAskedFor() {
        var host = host(["/opt/app/run": changed(Self.program, mode: 0o777)])
        host.userID = 1000
        #expect(words(host) == "")
    }

    /// log-writer without CAP_DAC_OVERRIDE, or as somebody else: what is not his he cannot write.
    @Test func logsOfAnother_areRefused_andThoseOfRootsGiven_unlessAnothersLogWriterIsAtWorkThere() {
        let text = "[log]\nuser = \"web\"\n[child.a]\ncommand = [\"/bin/true\"]\n"
        let logs = "/var/lib/nexus/logs"
        func machine(directory: UInt32, file: UInt32) -> FakeMachine {
            host([
                logs: changed(Self.directory, owner: directory), logs + "/runs": changed(Self.program, owner: file),
            ])
        }
        #expect(machine(directory: 33, file: 33).diagnostics(text) == "")
        #expect(machine(directory: 0, file: 0).diagnostics(text) == "")
        #expect(machine(directory: 0, file: 33).diagnostics(text) == "")
        #expect(machine(directory: 0, file: 7).diagnostics(text).contains("'\(logs)/runs' belongs to uid 7"))
        #expect(machine(directory: 33, file: 0).diagnostics(text).contains("chown -R 33:33 \(logs)"))
        var atWork = machine(directory: 0, file: 0)
        for holder in [0, 7, nil] as [UInt32?] {
            atWork.locks = [logs + "/lock": holder]
            #expect(atWork.diagnostics(text).contains("belongs to uid 0, and log-writer would be uid 33"))
        }
        // His own, as in a tree that was adopted after its state had been given to root.
        atWork.locks = [logs + "/lock": 33]
        #expect(atWork.diagnostics(text) == "")
    }

    @Test func environmentFile_andProbe_areHeldToTheSame() {
        var machine = host([
            "/opt": changed(Self.directory, owner: 33), "/opt/app/run": changed(Self.program, owner: 33),
        ])
        machine = machine.adding("/opt/env/file", "A=1\n")
        let text = """
            [child.web]
            command = ["/bin/true"]
            environment-files = ["/opt/env/file"]
            liveness = { exec = ["/opt/app/run"] }
            """
        let found = machine.diagnostics(text)
        #expect(found.contains("'/opt/env/file': '/opt' belongs to uid 33, and nexusd runs as root"))
        #expect(found.contains(":4:22: error: '/opt' belongs to uid 33, and nexusd runs as root"))
    }
}
