import SupervisorCore
import System
import Wire

extension Engine {
    /// Notes what an owner chooses by a command, before the core obeys it, and has it recorded. A worker's commands are no
    /// choice of an owner: what it starts and stops is its own business and begins anew with nexusd. Only what an owner started by
    /// its name is his no longer when a worker stops it, for each reload would bring it up against that worker.
    func choose(by command: Command, _ id: CommandID, asWorker isWorker: Bool) {
        if !isWorker { tellOfStops(by: command) }
        var news: [(child: ChildID, choice: Choice?)] = []
        for (child, choice) in core.choices(madeBy: command) where plan.isShown(child) {
            if isWorker, choice != nil || choices[child] != .on { continue }
            // Said again before it is on disk, it is to be there before that is answered too.
            guard choices[child] != choice || config.isUnwritten(child) else { continue }
            choices[child] = choice
            keeper?.touch(child)
            news.append((child, choice))
        }
        guard !news.isEmpty, readsFile else { return }
        config.add(news, of: id)
        startConfig()
    }

    /// A worker that starts a child on its own account hears of an owner's stop whatever became of the last run.
    private func tellOfStops(by command: Command) {
        for child in core.keptOff(by: command) where plan.isShown(child) && !plan.starters(of: child).isEmpty {
            say(LogEvent(.staysOff, 5, "\(names[child]) is to stay off, by command.", names[child]))
        }
    }

    /// The record of these choices was written, or could not be; then it is made with the next one.
    func take(_ outcome: ConfigRun.Outcome, recordOf choices: [ChildID: Choice?], by commands: [CommandID]) {
        let problem: String?
        switch outcome {
        case .plan(_, let diagnostics):
            problem = nil
            for line in diagnostics.split(separator: "\n") { say(LogEvent(.supervisorTrouble, 4, String(line))) }
        case .refused(let diagnostics): problem = diagnostics
        case .failed(let how, let diagnostics):
            problem = "nexus-config \(how)" + (diagnostics.isEmpty ? "" : ": \(diagnostics)")
        case .stopped: problem = "nexusd was asked to stop at once"
        }
        // One line of it goes into the answer, the log and `status`.
        let line = problem.map { $0.split(separator: "\n").joined(separator: "; ") }
        if let line {
            config.owe(choices)
            unrecorded = "a choice made by command is not recorded and holds only while this nexusd lives: \(line)"
            say(LogEvent(.supervisorTrouble, 3, "A choice made by command could not be recorded: \(line)"))
        } else {
            unrecorded = nil
        }
        for (command, outcome) in config.release(commands, problem: line) { tell(command, outcome) }
    }
}
