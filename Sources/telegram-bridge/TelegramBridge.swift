import Foundation
import Outgoing
import Telegram
import WorkerKit

/// Another chat platform as one more worker on the bus: what is written to a bot of Telegram goes to chat-bridge, and the
/// answer back, message by message. It holds the bot's token and nothing else; it may ask nexusd for nothing.
@main
struct TelegramBridge {
    static func main() async {
        await Worker.run(name: "telegram-bridge") { bus in
            let environment = ProcessInfo.processInfo.environment
            let settings = try Settings(environment)
            let api = BotAPI(
                base: settings.base, token: settings.token, port: OutgoingClient(environment: environment))
            let desk = TelegramDesk(settings: settings, api: api, port: ChatPort(bus: bus)) { bus.status($0) }
            bus.onDrain { await desk.stop() }
            bus.serve { _, responder in
                await responder.fail(.badRequest, "telegram-bridge asks chat-bridge, and is asked nothing itself")
            }
            bus.ready()
            await desk.run()
            await Task { await desk.stop() }.value
        }
    }
}
