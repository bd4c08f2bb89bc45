public import Chat
import Foundation
public import Outgoing

/// Brings words to their receivers: what is due is tried, what fails is tried again later and later, and given up when
/// it is old. The order is that of the store; a receiver that hangs holds up the others for the time of one call.
public final class Courier: Sendable {
    /// Calls at once.
    static let width = 4
    /// What the store is asked for at a time.
    static let batch = 16
    /// After a failure of its own (the store), before it is tried again.
    static let storePause: Duration = .seconds(5)

    private let store: ChatStore
    private let port: any OutgoingPort
    private let webhook: Webhook?
    private let push: PushService?
    private let tell: @Sendable (String) -> Void
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation

    /// `webhook` and `push`: nil where there is none; what is on its way there is given up. `tell` gets what an owner
    /// should read in the log.
    public init(
        store: ChatStore, port: any OutgoingPort, webhook: Webhook?, push: PushService?,
        tell: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.port = port
        self.webhook = webhook
        self.push = push
        self.tell = tell
        (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// There is something new to bring.
    public func wake() { ring.yield() }

    /// Brings until its task is cancelled.
    public func run() async {
        var bell = bell.makeAsyncIterator()
        while !Task.isCancelled {
            let pause: Duration?
            do {
                pause = try await bringWhatIsDue()
            } catch {
                if !Task.isCancelled { tell("words to the owner cannot be read from the store: \(error)") }
                pause = Self.storePause
            }
            let ring = ring
            let alarm = pause.map { pause in
                Task {
                    try await Task.sleep(for: pause)
                    ring.yield()
                }
            }
            _ = await bell.next()
            alarm?.cancel()
        }
    }

    /// Returns how long nothing is due; nil: until it is woken.
    func bringWhatIsDue() async throws -> Duration? {
        while !Task.isCancelled {
            let due = try await store.dueDeliveries(limit: Self.batch)
            if due.isEmpty { break }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, delivery) in due.enumerated() {
                    if index >= Self.width { try await group.next() }
                    group.addTask { try await self.bring(delivery) }
                }
                try await group.waitForAll()
            }
        }
        return try await store.nextDelivery().map { .seconds(max(0, $0.timeIntervalSinceNow)) }
    }

    private func bring(_ delivery: Delivery) async throws {
        let whom = whom(delivery)
        let call: OutgoingCall
        do {
            guard let made = try self.call(for: delivery) else { return try await store.settle(delivery) }
            call = made
        } catch {
            tell("no message for \(whom) can be made: \(delivery.word) is given up: \(error)")
            return try await store.settle(delivery)
        }
        let verdict: Verdict
        do {
            verdict = Verdict(try await port.send(call))
        } catch .cancelled {
            // chat-bridge stops: it is brought when it is back.
            return
        } catch {
            verdict = Verdict(error)
        }
        try await settle(delivery, verdict, whom)
    }

    private func settle(_ delivery: Delivery, _ verdict: Verdict, _ whom: String) async throws {
        switch verdict {
        case .delivered: try await store.settle(delivery)
        case .gone:
            guard case .device(let device, let subscription) = delivery.receiver else {
                tell("\(whom) is gone: \(delivery.word) is given up")
                return try await store.settle(delivery)
            }
            tell("\(whom) does not know device \(device) any more: it is told nothing until it asks again")
            try await store.forget(subscription, of: device)
        case .refused(let why):
            tell("\(whom) refuses \(delivery.word), which is given up: \(why)")
            try await store.settle(delivery)
        case .again(let why, let asked):
            guard let pause = Patience.pause(after: delivery.tries, age: Self.age(of: delivery), asked: asked) else {
                tell("\(whom) could not be told \(delivery.word) for \(Patience.lifetime), which is given up: \(why)")
                return try await store.settle(delivery)
            }
            if delivery.tries == 0 { tell("\(whom) is not reached and is tried again: \(why)") }
            try await store.postpone(delivery, until: Date(timeIntervalSinceNow: pause / .seconds(1)))
        }
    }

    private static func age(of delivery: Delivery) -> Duration {
        .milliseconds(Int64(Date().timeIntervalSince1970 * 1000) - delivery.created)
    }

    private func whom(_ delivery: Delivery) -> String {
        switch delivery.receiver {
        case .webhook: "the webhook"
        case .device(_, let subscription): "the push service \(subscription.host)"
        }
    }

    /// Nil: nobody is there for it any more.
    private func call(for delivery: Delivery) throws -> OutgoingCall? {
        switch delivery.receiver {
        case .webhook: try webhook?.call(delivery, at: Date())
        case .device(_, let subscription): try push?.call(delivery, to: subscription, at: Date())
        }
    }
}
