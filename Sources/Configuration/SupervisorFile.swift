import Plan
import SupervisorCore

/// Supervisor.toml: the way from a file to a plan.
public enum SupervisorFile {
    /// Reads and checks the file and everything it names. Throws all that is wrong at once (at most 20 diagnostics);
    /// changes nothing on the machine.
    public static func load(_ places: Places) throws(ConfigurationError) -> Configured {
        try load(places, host: RememberedMachine(LiveMachine()))
    }

    /// The text of a file as it is, right or wrong; nil when it cannot be read.
    public static func read(_ path: String) -> [UInt8]? { try? LiveMachine().read(path, limit: SourceText.limit).1 }

    static func load(_ places: Places, host: any Machine) throws(ConfigurationError) -> Configured {
        let report = Report(file: places.name)
        let source = SourceText(path: places.config, name: places.name, host: host, report: report)
        if let failure = report.failure { throw failure }
        return try parse(source?.bytes ?? [], places, host: host)
    }

    /// The same for a text that was read already.
    static func parse(
        _ text: [UInt8], _ places: Places, host: any Machine
    ) throws(ConfigurationError) -> Configured {
        let report = Report(file: places.name)
        guard let root = Table(toml: text, report: report) else {
            throw report.failure ?? ConfigurationError(diagnostics: [], omitted: 0)
        }
        var configured = TreeBuilder(root: root, places: places, host: host, report: report).build()
        if let failure = report.failure { throw failure }
        configured.encoded = try encoded(configured.plan, report)
        return configured
    }

    /// What the person's mistakes cannot explain is ours; said as such rather than handed to nexusd.
    private static func encoded(_ plan: Plan, _ report: Report) throws(ConfigurationError) -> [UInt8] {
        do {
            try plan.validate()
        } catch {
            report.error(.start, "nexus-config made a plan that it refuses itself (a defect of Nexus): \(error)")
        }
        let bytes = plan.encoded()
        if bytes.count > Plan.encodedLimit {
            report.error(
                .start,
                "the plan takes \(bytes.count) bytes; nexusd reads at most \(Plan.encodedLimit): make the tree smaller")
        }
        if let failure = report.failure { throw failure }
        return bytes
    }
}
