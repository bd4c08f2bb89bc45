import Foundation
import Tunnel
import WorkerKit

/// Looks after the tunnel: knows whether one is wanted and how it is. In this version only `off`.
@main
struct TunnelWorker {
    static func main() async {
        await Worker.run(name: "tunnel-worker") { bus in
            let options = try options(ProcessInfo.processInfo.arguments.dropFirst())
            var monitor = TunnelMonitor()
            let state = monitor.see(.wanted(options.mode))
            let words = "\(state.words) (\(programWords(options)))"
            Log.info(words)
            bus.serve { request, responder in
                guard request.payload == Array(#"{"op":"describe"}"#.utf8) else {
                    return await responder.fail(.badRequest, #"tunnel-worker understands {"op":"describe"}"#)
                }
                await responder.reply(Self.description(options.mode, state))
            }
            bus.status(words)
            bus.ready()
        }
    }

    private struct Options {
        var mode = TunnelMode.off
        var program: String?
    }

    private static func options(_ arguments: ArraySlice<String>) throws -> Options {
        var options = Options()
        var rest = arguments
        do {
            while let word = rest.popFirst() {
                guard word == "--mode" || word == "--cloudflared", let value = rest.popFirst() else {
                    throw TunnelError("usage: tunnel-worker [--mode off] [--cloudflared PATH], not '\(word)'")
                }
                if word == "--mode" { options.mode = try .supported(value) } else { options.program = value }
            }
        } catch let error as TunnelError {
            throw Worker.ConfigurationError(error.description)
        }
        return options
    }

    private static func programWords(_ options: Options) -> String {
        let environment = ProcessInfo.processInfo.environment
        let candidates = CloudflaredProgram.candidates(
            configured: options.program, searchPath: environment["PATH"] ?? "", home: environment["HOME"])
        guard let program = CloudflaredProgram.find(among: candidates) else { return "cloudflared is not installed" }
        return "cloudflared is at \(program.path)"
    }

    private static func description(_ mode: TunnelMode, _ state: TunnelState) -> [UInt8] {
        struct Line: Encodable {
            var type = "tunnel"
            var mode: String
            var state: String
            /// What a tunnel would lead to.
            var origin: String?
        }
        let origin = ProcessInfo.processInfo.environment["NEXUS_CHAT_SOCKET"].map { "unix:" + $0 }
        // A few texts: there is nothing that cannot be encoded.
        return (try? Array(JSONEncoder().encode(Line(mode: mode.rawValue, state: state.words, origin: origin)))) ?? []
    }
}
