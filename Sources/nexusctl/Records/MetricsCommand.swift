import ArgumentParser
import ControlClient

struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Prints OpenMetrics text: restarts by cause, states, times, CPU, memory, logs, bus, nexusd's loop.",
        discussion: """
            Nothing listens in nexusd. For node_exporter write it to a file of its textfile collector from a timer: \
            nexusctl metrics > DIR/nexus.prom.new && mv DIR/nexus.prom.new DIR/nexus.prom. A port is a child that runs \
            this command for each request: docs/metrics.md has one.
            """)

    @Flag(help: "nexusd's own answer, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        let connection = try place.connect()
        let answer = try connection.answer(
            to: connection.request("metrics"), until: ControlConnection.now() + StatusQuestion.limitMilliseconds)
        if json { return Output.write(answer + [UInt8(ascii: "\n")]) }
        Output.write(MetricsReport(try ControlConnection.json(answer)).text())
    }
}
