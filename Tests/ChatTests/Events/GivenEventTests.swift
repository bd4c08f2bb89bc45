import Synchronization
import Testing

@testable import Chat

/// One event for many who watch.
@Suite(.timeLimit(.minutes(1)))
struct GivenEventTests {
    private let box: StoreBox
    private let hub: EventHub

    init() throws {
        box = try StoreBox()
        hub = EventHub(store: box.store)
    }

    private func say(_ number: Int, _ turn: ChatTurn) async throws {
        _ = try await hub.publish(
            .text(block: "b", text: "word \(number)", replaces: false), turn: turn.id, in: turn.session)
    }

    @Test func manyWatchers_getTheSameBytes_writtenOnce() async throws {
        let turn = try await box.accept("hello")
        let written = Atomic(0)
        // Every other one is written at once.
        let line = ChatService.Line(
            page: { event in
                guard event.number.map({ $0.rawValue % 2 == 0 }) == true else { return nil }
                written.add(1, ordering: .relaxed)
                return [event.json]
            },
            slowly: { event in
                written.add(1, ordering: .relaxed)
                await Task.yield()
                return [event.json]
            })
        var streams: [AsyncStream<GivenEvent>] = []
        for _ in 0..<200 { streams.append(try await hub.watch(turn.session)) }
        let frames = await withTaskGroup(of: [[UInt8]].self) { [hub] group in
            for stream in streams {
                group.addTask {
                    var all: [[UInt8]] = []
                    for await given in stream { all += await given.frames(line) }
                    return all
                }
            }
            for number in 1...5 { try? await say(number, turn) }
            await hub.finish()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(frames.count == 200 && frames.allSatisfy { $0 == frames[0] && $0.count == 5 })
        #expect(written.load(ordering: .relaxed) == 5)
    }

    @Test func otherForm_isWrittenApart() async {
        let event = ChatEvent(
            number: nil, session: SessionID(rawValue: "s"), turn: TurnID(rawValue: 1), what: .notice("n"))
        let given = GivenEvent(event)
        #expect(await given.frames(ChatService.Line(page: { _ in nil }, slowly: { _ in [[1]] })) == [[1]])
        #expect(await given.frames(.plain) == [event.json])
        #expect(await given.frames(ChatService.Line(page: { _ in [[2]] }, slowly: { _ in [[3]] })) == [[1]])
    }

    /// What one client can hold up here is so many events, and the others hold the same ones.
    @Test func watcherWhoTakesNothing_holdsABoundedNumber_andIsSentBackToTheStore() async throws {
        let turn = try await box.accept("hello")
        let slow = try await hub.watch(turn.session)
        for number in 0..<EventHub.watcherLimit + 10 { try await say(number, turn) }
        let held = await slow.reduce(into: 0) { count, _ in count += 1 }
        #expect(held == EventHub.watcherLimit)
    }
}
