import ArgumentParser
import ControlClient

extension TunnelCommand {
    struct Setup: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Asks what a tunnel needs, one thing after the other, checks each answer, and starts it.",
            discussion: """
                No tunnel is chosen before the last answer: leave by Ctrl-C at any question. Lines for Supervisor.toml are shown, not written: it is your file. \
                Enter behind them reloads it as it is then, which is said. \
                From a pipe each line is an answer, the last one also without its end. Exit status 1 when the tunnel does not come to stand, as without a network, 5 when it does not within two minutes, \
                130 when you leave.
                """)

        @OptionGroup var place: Place

        func run() throws {
            let interrupts = try Interrupts()
            let reloads = Reloads()
            // A question to tunnel-worker, and a reload, may take long: Ctrl-C is heard then too.
            var setup = self
            setup.place.interrupt = interrupts.descriptor
            do {
                try setup.walk(interrupts, reloads)
            } catch let error as ControlError where error.code == .interrupted {
                Output.write("\n")
                throw Self.left(reloads)
            }
        }

        /// Whether the file was reloaded on the way: what it said is in force, however the walk ends.
        private final class Reloads {
            var count = 0
        }

        /// Nobody takes a setup for done that ended before its last answer, as where the input of a script is too short.
        private static func left(_ reloads: Reloads) -> ExitCode {
            let more = "\nthe file was reloaded when you pressed Enter, and what it says is in force: nexusctl tunnel"
            Output.complain(
                ControlError(
                    .interrupted, "left before the last answer (the input ended, or Ctrl-C)",
                    hint: "no tunnel was chosen\(reloads.count > 0 ? " here" + more : ", and none started")"))
            return ExitCode(130)
        }

        private func walk(_ interrupts: borrowing Interrupts, _ reloads: Reloads) throws {
            var questions = Questions()
            guard let plan = try TunnelInterview(link: TunnelLink(place)).plan(&questions, interrupts) else {
                throw Self.left(reloads)
            }
            if !plan.stands, try !write(plan, &questions, interrupts, reloads) { throw Self.left(reloads) }
            Output.write("\n")
            guard try TunnelArrival(place: place).start(plan.mode, &questions, interrupts) else {
                throw Self.left(reloads)
            }
        }

        /// Shows the lines, and puts them in force when the owner has written them. False: the owner left.
        private func write(
            _ plan: TunnelInterview.Plan, _ questions: inout Questions, _ interrupts: borrowing Interrupts,
            _ reloads: Reloads
        ) throws -> Bool {
            let file = try StatusReport(ControlConnection.json(StatusQuestion.ask(place.connect()))).config
            Output.tell(
                "\nThese lines belong in \(Terminal.clean(file)), in place of those with the same names; Enter reloads it as it is "
                    + "then:\n")
            // To be copied: never folded.
            Output.write(plan.lines + "\n")
            while true {
                guard try questions.ask("Press Enter when they are there: ", interrupts) != nil else { return false }
                do {
                    reloads.count += 1
                    try reload()
                    _ = try TunnelInterview(link: TunnelLink(place)).examine(plan, mustStand: true)
                    return true
                } catch let error as ControlError
                    where questions.canAskAgain && ![.notRunning, .interrupted].contains(error.code)
                {
                    // Refused it changed nothing.
                    if error.code == .configuration { reloads.count -= 1 }
                    Output.complain(error)
                }
            }
        }

        /// A child that does not come up, as a cloudflared that is parked, is said, and no reason to ask for the lines again.
        private func reload() throws {
            do {
                try ReloadCommand.reload(place)
            } catch let error as ControlError where error.code == .failed {
                Output.complain(error)
            }
        }
    }
}
