import Testing

@testable import Runtime

@Suite struct OptionsTests {
    @Test func everyOption_isRead() throws {
        let options = try Options.parse(["--config", "/a", "--state=/b", "--runtime", "/c", "--last-good"])
        #expect(options.config == "/a")
        #expect(options.state == "/b")
        #expect(options.runtime == "/c")
        #expect(options.lastGood)
        #expect(options.task == .run)
        #expect(try Options.parse(["--plan", "/p"]).plan == "/p")
        #expect(try Options.parse(["--version"]).task == .version)
        #expect(try Options.parse(["--help"]).task == .help)
    }

    @Test(arguments: [
        (["--config"], "--config needs a value"), (["--config", ""], "--config needs a value"),
        (["--state=/a", "--state=/b"], "--state is given twice"), (["start"], "unknown argument 'start'"),
        (["--last-good=yes"], "unknown argument '--last-good=yes'"),
        (["--plan", "/p", "--last-good"], "--plan goes with neither --config nor --last-good"),
        (["--plan", "/p", "--config", "/c"], "--plan goes with neither --config nor --last-good"),
    ])
    func wrongUse_isRefusedWithWords(arguments: [String], words: String) {
        #expect(throws: StartError(status: 2, message: "nexusd: \(words)\n\(Options.usage)")) {
            try Options.parse(arguments)
        }
    }
}

@Suite struct DirectoriesTests {
    private func resolve(
        _ arguments: [String] = [], root: Bool = false, _ environment: [String: String] = [:]
    ) throws -> Directories {
        try Directories.resolve(Options.parse(arguments), root: root, current: "/srv") { environment[$0] }
    }

    @Test func root_hasTheSystemsPlaces() throws {
        let directories = try resolve(root: true, ["XDG_STATE_HOME": "/elsewhere"])
        #expect(directories.config == "/etc/nexus/Supervisor.toml")
        #expect(directories.state == "/var/lib/nexus")
        #expect(directories.runtime == "/run/nexus")
    }

    @Test func others_haveThoseOfTheXDGSpecification() throws {
        let plain = try resolve(["HOME": "/home/a"])
        #expect(plain.config == "/home/a/.config/nexus/Supervisor.toml")
        #expect(plain.state == "/home/a/.local/state/nexus")
        #expect(plain.runtime == "/home/a/.local/state/nexus/run")
        let given = try resolve(["XDG_STATE_HOME": "/s", "XDG_CONFIG_HOME": "/c", "XDG_RUNTIME_DIR": "/run/user/1"])
        #expect(given.config == "/c/nexus/Supervisor.toml")
        #expect(given.state == "/s/nexus")
        #expect(given.runtime == "/run/user/1/nexus")
    }

    @Test func relativePaths_areThoseOfTheWorkingDirectory_butNotInVariables() throws {
        let directories = try resolve(["--state", "s", "--config", "c.toml"], ["XDG_RUNTIME_DIR": "relative"])
        #expect(directories.state == "/srv/s")
        #expect(directories.config == "/srv/c.toml")
        #expect(directories.runtime == "/srv/s/run")
    }

    @Test func variablesOfNexus_areThoseOfNexusctl_behindTheOptions() throws {
        let named = ["NEXUS_STATE_DIRECTORY": "/v/state", "NEXUS_RUNTIME_DIRECTORY": "run", "XDG_RUNTIME_DIR": "/x"]
        let given = try resolve([], root: true, named)
        #expect(given.state == "/v/state" && given.runtime == "/srv/run")
        let options = try resolve(["--state", "/o", "--runtime", "/p"], root: true, named)
        #expect(options.state == "/o" && options.runtime == "/p")
        let empty = try resolve([], root: true, ["NEXUS_STATE_DIRECTORY": "", "NEXUS_RUNTIME_DIRECTORY": ""])
        #expect(empty.state == "/var/lib/nexus" && empty.runtime == "/run/nexus")
    }

    @Test func noHome_isSaid() {
        #expect(throws: StartError.self) { try resolve() }
    }

    private func resolve(_ environment: [String: String]) throws -> Directories { try resolve([], environment) }
    private func resolve(_ arguments: [String], _ environment: [String: String]) throws -> Directories {
        try resolve(arguments, root: false, environment)
    }
}
