import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// Asks for the plan of the file as it is now, for a look or to put it in force.
    func wish(_ wish: ConfigDesk.Wish) {
        guard readsFile else {
            return refuse(
                wish, .failed, "this nexusd runs a plan given with --plan: there is no file that could be read again")
        }
        guard state != .stopping else { return refuse(wish, .failed, "the tree is being stopped") }
        guard config.add(wish) else {
            return refuse(wish, .busy, "\(ConfigDesk.waitingLimit) others wait for nexus-config; try again")
        }
        if case .reload = wish { config.tryAgain() }
        startConfig()
    }

    /// Starts what is next; each that cannot be started is answered at once.
    func startConfig() {
        while let (task, purpose) = config.next(names) {
            if let stuck = config.stuck {
                take(stuck, purpose)
                continue
            }
            do {
                config.begin(try ConfigRun(surroundings, task), purpose)
                return
            } catch {
                take(.failed("cannot be run: \(error)", diagnostics: ""), purpose)
            }
        }
    }

    /// Takes what a run that is over brought.
    func settleConfig() {
        config.current?.run.expire(at: now)
        if let (outcome, purpose) = config.takeStuck() {
            take(outcome, purpose)
            startConfig()
        }
        while let (outcome, purpose) = config.takeFinished() {
            take(outcome, purpose)
            startConfig()
        }
    }

    /// No plan is made for a tree that ends.
    func endWishes() {
        for wish in config.giveUpWishes() { refuse(wish, .failed, "the tree is being stopped") }
    }

    private func take(_ outcome: ConfigRun.Outcome, _ purpose: ConfigDesk.Purpose) {
        switch purpose {
        case .wish(let wish): take(outcome, wish)
        case .record(let commands, let choices): take(outcome, recordOf: choices, by: commands)
        case .nothing: break
        }
    }

    private func take(_ outcome: ConfigRun.Outcome, _ wish: ConfigDesk.Wish) {
        switch outcome {
        case .plan(let bytes, let diagnostics):
            for line in diagnostics.split(separator: "\n") { say(LogEvent(.supervisorTrouble, 4, String(line))) }
            do throws(PlanError) {
                try take(Plan(encoded: bytes), wish)
            } catch {
                refuse(wish, .failed, "the plan cannot be used: \(error)")
            }
        case .refused(let diagnostics): refuse(wish, .configuration, diagnostics)
        case .failed(let how, let diagnostics):
            refuse(wish, .failed, "nexus-config \(how)" + (diagnostics.isEmpty ? "" : "\n" + diagnostics))
        case .stopped: refuse(wish, .failed, "the tree is being stopped")
        }
    }

    private func take(_ plan: Plan, _ wish: ConfigDesk.Wish) throws(PlanError) {
        if case .times = wish { return takeTimes(plan) }
        let update = try PlanUpdate(plan, over: self.plan.unpacked, self.plan.arrangement) { isGone($0) }
        switch wish {
        case .diff(let asker):
            router.reply(asker.id, DiffWriter(update, beside: notes, triedAgain: triedAgain(by: update)).json)
        case .reload(let asker): reload(update, asker)
        case .times: break
        }
    }

    /// Bytes of diagnostics that go into one frame.
    private static let refusalLimit = 32_768

    /// Bytes of them that go into a note of `status`.
    private static let noteLimit = 1024

    /// For `status`, until a file is taken: who asks by SIGHUP hears nothing, and may read no log.
    private func refusalNote(_ why: String) -> String {
        let lines = why.split(separator: "\n")
        let first = String(decoding: (lines.first ?? "").utf8.prefix(Self.noteLimit), as: UTF8.self)
        let more = lines.count > 1 ? " (and \(counted(lines.count - 1, "line")) more: `nexusctl check`)" : ""
        let time = timestamp(second: kernel.wallClock() / 1_000_000_000)
        return "the last reload was refused at \(time), and nothing was changed: \(first)\(more)"
    }

    /// Nothing was changed. A reload says so in the log as well, for nobody may be listening.
    func refuse(_ wish: ConfigDesk.Wish, _ code: BusErrorCode, _ why: String) {
        if case .reload = wish {
            for (index, line) in why.split(separator: "\n").prefix(20).enumerated() {
                let words = index == 0 ? "Not reloaded, nothing is changed: \(line)" : String(line)
                say(LogEvent(.reloadRefused, 3, words))
            }
            if code != .busy, state != .stopping { refusedReload = refusalNote(why) }
        }
        if case .times = wish {
            let first = why.split(separator: "\n").first.map(String.init) ?? ""
            say(LogEvent(.supervisorTrouble, 4, "No further times of calendars: \(first)"))
        }
        guard let id = wish.id else { return }
        router.fail(id, code, String(decoding: why.utf8.prefix(Self.refusalLimit), as: UTF8.self))
    }
}
