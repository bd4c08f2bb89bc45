import Plan
import SupervisorCore
import System
import Wire

/// Where the plan comes from: a file, a run of nexus-config, or, where that is allowed, the last good one.
struct PlanSource {
    private let options: Options
    private let surroundings: Surroundings

    /// A plan, and what is to be said about how it was come by.
    struct Origin {
        var plan: Plan
        var notes: [String] = []
        /// It is not what the file says.
        var isLastGood = false
    }

    init(_ options: Options, _ surroundings: Surroundings) {
        self.options = options
        self.surroundings = surroundings
    }

    /// Nil when nexusd was asked to stop before there was a plan.
    func obtain() throws(StartError) -> Origin? {
        if let file = options.plan { return Origin(plan: try read(file)) }
        let outcome: ConfigRun.Outcome
        do {
            outcome = try ConfigWait(surroundings, .plan(looks: false)).outcome()
        } catch {
            return try fallBack(.failed("nexus-config cannot be run: \(error)"))
        }
        switch outcome {
        case .stopped: return nil
        case .plan(let bytes, let diagnostics):
            if !diagnostics.isEmpty { write(diagnostics) }
            do {
                return Origin(plan: try Plan(encoded: bytes))
            } catch {
                return try fallBack(.failed("nexus-config made a plan that cannot be used: \(error)"))
            }
        case .refused(let diagnostics):
            return try fallBack(StartError(status: 2, message: diagnostics))
        case .failed(let how, let diagnostics):
            let more = diagnostics.isEmpty ? "" : "\n" + diagnostics
            return try fallBack(.failed("nexus-config \(how)\(more)"))
        }
    }

    /// With --last-good a refused file does not keep the machine's owner out: the plan that worked is started, and said
    /// to be that.
    private func fallBack(_ error: StartError) throws(StartError) -> Origin {
        let path = surroundings.directories.state + "/last-good"
        guard options.lastGood else {
            let isKept = (try? surroundings.kernel.status(path, followingLinks: false))?.kind == .regular
            let hint = "nexusd: the plan that was accepted last is kept (\(path)): --last-good starts from it meanwhile"
            throw isKept ? StartError(status: error.status, message: "\(error.message)\n\(hint)") : error
        }
        let plan: Plan
        do throws(StartError) {
            plan = try read(path, isTrusted: false)
            try refuseForeign(plan, path)
        } catch let second {
            throw StartError(status: error.status, message: "\(error.message)\n\(second.message)")
        }
        write(error.message)
        let first = error.message.split(separator: "\n").first.map(String.init) ?? ""
        let note = "the last good plan is in force (\(path)), for the file was refused: \(first)"
        return Origin(plan: plan, notes: [note], isLastGood: true)
    }

    /// The state directory may have been used by another installation, such as a tree tried by root before the package was
    /// installed: what ran there, and as whom, is nothing that this machine's owner has asked this one for.
    private func refuseForeign(_ plan: Plan, _ path: String) throws(StartError) {
        guard let logWriter = plan.children.first(where: { $0.role == .logWriter })?.executable,
            let slash = logWriter.lastIndex(of: "/"), let own = try? surroundings.binaries(), logWriter[..<slash] != own
        else { return }
        throw .refused(
            "\(path): it is of the installation in '\(logWriter[..<slash])', and this is the one in '\(own)'; correct the file, or,"
                + " if that one was only tried, move \(surroundings.directories.state) away")
    }

    /// A plan decides what runs as whom: one that nobody named on the command line must be a file that nobody else could
    /// have written.
    private func read(_ path: String, isTrusted: Bool = true) throws(StartError) -> Plan {
        let kernel = surroundings.kernel
        let bytes: [UInt8]
        do {
            let fd = try kernel.open(path, isTrusted ? .readOnly : [.readOnly, .noFollow, .nonBlocking], mode: 0)
            if !isTrusted {
                let status = try kernel.status(fd)
                let words = status.kind == .regular ? status.distrust(by: kernel) : "is no regular file"
                if let words { throw StartError.refused("\(path): \(words); remove it, and correct the file instead") }
            }
            bytes = try kernel.readAll(fd, limit: Plan.encodedLimit)
        } catch let error as StartError {
            throw error
        } catch {
            let remedy =
                isTrusted
                ? "name a plan of nexus-config" : "correct the file; the next plan that is taken is kept there"
            let found =
                (error as? Errno) == .tooLarge
                ? "it has more than \(Plan.encodedLimit) bytes, and is no plan" : "\(error)"
            throw .refused("\(path): \(found); \(remedy)")
        }
        do { return try Plan(encoded: bytes) } catch {
            let remedy = isTrusted ? "" : "; remove it, and correct the file instead"
            throw .refused("\(path): \(error)\(remedy)")
        }
    }

    private func write(_ diagnostics: String) {
        for line in diagnostics.split(separator: "\n") {
            surroundings.stderr.write(LogEvent(.supervisorTrouble, 4, String(line)))
        }
    }
}
