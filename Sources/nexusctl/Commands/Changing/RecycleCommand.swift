import ArgumentParser
import ControlClient
import Wire

struct RecycleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recycle",
        abstract: "Replaces the run of a child when it is idle; nothing is counted, and nobody restarts with it.",
        discussion: """
            A worker is told to drain; for another child a worker that may restart it says when it is idle; where nobody \
            knows, it is stopped at once. What is still busy after memory.recycle-within (1h) is stopped all the same. Only a \
            run that has been ready for stable-after is recycled: `restart` asks no such thing and stops it now.
            """)

    @Argument(help: "The child.", completion: .children)
    var child: String

    @Flag(help: "Answers when it is accepted, not when the new run is ready.")
    var noWait = false

    @OptionGroup var limit: Limit

    @Flag(help: "What came of it, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    func validate() throws {
        if noWait, limit.timeout != nil {
            throw ValidationError("--no-wait waits for nothing that --timeout could end")
        }
    }

    func run() throws {
        let connection = try place.connect()
        let name = WrittenName(child).name
        // Before the wish, so that nothing of what follows is missed.
        let patience = try Patience(noWait ? nil : EventStream(place.connect()), limit)
        patience.children = [name]
        let old = try status(connection)
        do throws(ControlError) {
            _ = try connection.answer(to: connection.request("recycle \(child)"))
            if !noWait { try wait(name, patience, connection, after: old.run) }
        } catch {
            if json {
                show(name, error.code == .timeout ? "timeout" : "failed", [.init("error", .string(error.message))])
            }
            throw error
        }
        if json { return show(name, noWait ? "accepted" : "done") }
        Output.write("\(Terminal.clean(name)): \(noWait ? "recycle accepted" : "recycled, ready again")\n")
    }

    private func show(_ name: String, _ outcome: String, _ more: [JSONValue.Member] = []) {
        let members: [JSONValue.Member] = [.init("name", .string(name)), .init("outcome", .string(outcome))]
        Output.write(JSONValue.object(members + more).line + "\n")
    }

    private func status(_ connection: ControlConnection) throws(ControlError) -> ChildStatus {
        ChildStatus(try ControlConnection.json(StatusQuestion.ask(connection, child: child)))
    }

    /// With every event of the child it is looked at: whatever else becomes of it ends the waiting too.
    private func wait(
        _ name: String, _ patience: Patience, _ connection: ControlConnection, after run: String?
    ) throws(ControlError) {
        patience.begin("recycle \(name): it is busy still; Ctrl-C ends the waiting, not the wish")
        while try patience.untilEvent(of: name) {
            let now = try status(connection)
            switch now.state {
            case "ready" where now.run != run: return
            case "parked", "off", "unkillable", "done":
                throw ControlError(
                    .failed, "\(name) is \(now.state): \(now.words)", hint: "see: nexusctl why \(child)")
            case _: continue
            }
        }
        let now = try status(connection)
        throw ControlError(
            .timeout,
            "\(name) is not recycled within \(limit.timeout ?? "the time"): it is \(now.state) (\(now.words))",
            hint: "nexusd goes on with it; see: nexusctl why \(child)")
    }
}
