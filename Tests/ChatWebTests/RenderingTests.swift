import Dispatch
import Synchronization
import Testing

@testable import ChatWeb

/// Where Markdown is rendered: beside all others who answer.
@Suite(.timeLimit(.minutes(1)))
struct RenderingTests {
    /// Renders when it is let.
    private final class Gate: Sendable {
        let open = DispatchSemaphore(value: 0)
        let texts = Mutex<[String]>([])

        func render(_ text: String) -> String? {
            open.wait()
            texts.withLock { $0.append(text) }
            return "<p>\(text)</p>"
        }
    }

    /// More of them than the pool of tasks has threads: a task that wants something else runs all the same.
    @Test func textThatTakesLong_holdsUpNobodyElse() async {
        let gate = Gate()
        let rendering = Rendering(render: gate.render)
        let slow = (0..<20).map { number in Task { await rendering.html("text \(number)") } }
        for _ in 0..<100 { #expect(await Task { true }.value) }
        #expect(gate.texts.withLock(\.count) == 0)
        for _ in slow { gate.open.signal() }
        for (number, task) in slow.enumerated() { #expect(await task.value == "<p>text \(number)</p>") }
    }

    @Test func sameText_isRenderedOnce_andKeptWhileItIsWanted() async {
        let gate = Gate()
        let rendering = Rendering(render: gate.render)
        let readers = (0..<200).map { _ in Task { await rendering.html("same") } }
        gate.open.signal()
        for reader in readers { #expect(await reader.value == "<p>same</p>") }
        // Others take its place, but not while somebody still wants it.
        let others = Rendering.limitKeptBytes * 3 / 20_000
        for number in 0..<others {
            gate.open.signal()
            let text = String(repeating: "x", count: 10_000) + "\(number)"
            #expect(await rendering.html(text) == "<p>\(text)</p>")
            #expect(await rendering.html("same") == "<p>same</p>")
        }
        #expect(gate.texts.withLock { $0.count { $0 == "same" } } == 1)
    }

    @Test func textThatIsTooLong_orCannotBeRendered_isShownAsItIs() async {
        let tried = Atomic(0)
        let rendering = Rendering { _ in
            tried.add(1, ordering: .relaxed)
            return nil
        }
        #expect(await rendering.html(String(repeating: "x", count: Markdown.limitBytes + 1)) == nil)
        #expect(tried.load(ordering: .relaxed) == 0)
        #expect(await rendering.html("x") == nil)
        #expect(tried.load(ordering: .relaxed) == 1)
    }

    @Test func moreThanMayWait_areShownAsTheyAre() async {
        let gate = Gate()
        let rendering = Rendering(render: gate.render)
        let waiting = (0..<Rendering.limitWaiting).map { number in Task { await rendering.html("\(number)") } }
        while rendering.waiting < Rendering.limitWaiting { await Task.yield() }
        #expect(await rendering.html("one more") == nil)
        for _ in waiting { gate.open.signal() }
        for task in waiting { #expect(await task.value != nil) }
        gate.open.signal()
        #expect(await rendering.html("one more") == "<p>one more</p>")
    }
}
