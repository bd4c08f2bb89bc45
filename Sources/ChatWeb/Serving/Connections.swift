import Chat
import NIOCore
import Synchronization

/// All connections of the page, and whose they are.
final class Connections: Sendable {
    private struct State {
        var book = ConnectionBook()
        var channels: [Int: any Channel] = [:]

        /// The channels of those that have to go.
        func these(_ numbers: [Int]) -> [any Channel] { numbers.compactMap { channels[$0] } }
    }
    private let state = Mutex(State())

    /// A connection that was just taken.
    func enter(_ channel: any Channel, by entrance: Entrance) -> Connection {
        let remote = entrance == .tunnel ? nil : Self.text(channel.remoteAddress)
        let leaving: [any Channel]
        let number: Int
        (number, leaving) = state.withLock { state in
            let (number, leaving) = state.book.enter(remote.map { AddressGroup($0) })
            state.channels[number] = channel
            return (number, state.these(leaving))
        }
        channel.closeFuture.whenComplete { [weak self] _ in self?.leave(number) }
        Self.close(leaving)
        return Connection(
            number: number, entrance: entrance, remote: remote ?? Connection.unknown,
            local: Self.text(channel.localAddress) ?? "", port: channel.localAddress?.port ?? 0, all: self)
    }

    /// A connection is used by somebody of that address; nil: by nobody.
    func use(_ number: Int, by address: String?) {
        let group = address.map { AddressGroup($0) }
        Self.close(state.withLock { state in state.these(state.book.use(number, by: group)) })
    }

    /// A connection is a device's.
    func use(_ number: Int, by device: DeviceID) {
        Self.close(state.withLock { state in state.these(state.book.use(number, by: device)) })
    }

    /// Ends all.
    func closeAll() { Self.close(state.withLock { Array($0.channels.values) }) }

    /// Those of strangers, and of devices.
    var counts: (strangers: Int, devices: Int) { state.withLock { $0.book.counts } }

    private func leave(_ number: Int) {
        state.withLock { state in
            state.book.leave(number)
            state.channels[number] = nil
        }
    }

    private static func close(_ channels: [any Channel]) { for channel in channels { channel.close(promise: nil) } }

    private static func text(_ address: SocketAddress?) -> String? {
        address?.ipAddress.flatMap { Address($0)?.text }
    }
}
