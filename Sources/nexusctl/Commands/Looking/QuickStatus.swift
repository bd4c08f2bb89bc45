import ControlClient

/// `nexusctl status` as people and scripts call it most: its few arguments are read here, because building the parser
/// of the whole command line takes longer than asking nexusd and showing the table.
struct QuickStatus {
    private var runtime: String?
    private var state: String?
    private var json = false

    /// Nil for every other command line; ArgumentParser judges that one.
    init?(_ arguments: [String]) {
        guard arguments.first == "status" else { return nil }
        var rest = arguments.dropFirst()
        while let word = rest.popFirst() {
            switch word {
            case "--json": json = true
            case "--runtime":
                guard let value = rest.popFirst() else { return nil }
                runtime = value
            case "--state":
                guard let value = rest.popFirst() else { return nil }
                state = value
            case _: return nil
            }
        }
    }

    func run() throws(ControlError) {
        let place = try Locations.ofThisProcess(state: state, runtime: runtime)
        let connection = try ControlConnection(socket: place.controlSocket, waitsForNext: true)
        let answer = try StatusQuestion.ask(connection)
        if json {
            Output.write(answer + [UInt8(ascii: "\n")])
        } else {
            let report = StatusReport(try ControlConnection.json(answer))
            Output.write(StatusQuestion.table(of: report, from: connection, for: .standardOutput))
        }
    }
}
