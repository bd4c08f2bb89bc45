import Foundation
import Tunnel
import WorkerKit

/// Looks after the tunnel: prepares, starts and watches cloudflared, and says how it is. With `--launch DIR` it is the child
/// `cloudflared` itself, which becomes that program.
@main
struct TunnelWorker {
    static func main() async {
        let arguments = Array(ProcessInfo.processInfo.arguments.dropFirst())
        if arguments.first == "--launch" { await launch(arguments.dropFirst().first ?? "") }
        await Worker.run(name: "tunnel-worker") { bus in
            guard arguments.isEmpty else {
                throw Worker.ConfigurationError(
                    "usage: tunnel-worker, or tunnel-worker --launch DIR; the mode is in [tunnel] of Supervisor.toml")
            }
            let keeper = try keeper(bus, ProcessInfo.processInfo.environment)
            let desk = TunnelDesk(keeper: keeper)
            // Before anybody can ask for a look, whose work file this would take.
            keeper.workshop.sweep()
            await keeper.makeReady()
            bus.serve { request, responder in await desk.answer(request, responder) }
            bus.ready()
            await keeper.run()
        }
    }

    private static func keeper(_ bus: Bus, _ environment: [String: String]) throws -> TunnelKeeper {
        guard let directory = environment["STATE_DIRECTORY"], directory.hasPrefix("/") else {
            throw Worker.ConfigurationError(
                "no place for the tunnel's files: set state-directory = \"tunnel\" in [child.tunnel-worker]")
        }
        let settings: TunnelSettings
        do {
            settings = try TunnelSettings(environment: environment)
        } catch {
            throw Worker.ConfigurationError(error.description)
        }
        return TunnelKeeper(
            bus: bus, workshop: TunnelWorkshop(settings: settings, directory: directory, environment: environment),
            pace: Pace(environment: environment))
    }

    private static func launch(_ directory: String) async -> Never {
        do {
            let launch = try LaunchFile.read(in: directory)
            try await launch.checkProgram()
            do throws(TunnelError) {
                try launch.kept?.follow()
            } catch {
                Log.error("not taken: \(error); cloudflared starts with what was good before")
            }
            Log.error(launch.run(environment: ProcessInfo.processInfo.environment).description)
        } catch {
            Log.error("\(error)")
        }
        // EX_CONFIG of sysexits.h: starting again does not help.
        exit(78)
    }
}
