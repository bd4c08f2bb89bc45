import Dispatch
import Synchronization

/// Renders the agent's Markdown, one text after the other on a thread of its own: some take seconds (docs/security.md), and
/// whoever wants something else must not wait for them. What was rendered lately is kept.
final class Rendering: Sendable {
    /// The one of this process.
    static let shared = Rendering()
    /// Texts that wait at once, more than there are connections. Who comes beyond shows his as it was written.
    static let limitWaiting = 1024
    /// Of texts with their HTML. Twice as many may be held.
    static let limitKeptBytes = 524_288

    private let render: @Sendable (String) -> String?
    private let thread = DispatchQueue(label: "markdown")
    private let state = Mutex(State())

    /// - Parameter render: nil for what cannot be rendered.
    init(render: @escaping @Sendable (String) -> String? = { Markdown.html($0) }) { self.render = render }

    /// Texts that wait, with the one that is rendered.
    var waiting: Int { state.withLock(\.waiting) }

    /// Nil: it is shown as it was written.
    func html(_ text: String) async -> String? {
        guard text.utf8.count <= Markdown.limitBytes else { return nil }
        let (known, waits) = state.withLock { state -> (String?, Bool) in
            if let html = state.kept(text) { return (html, false) }
            guard state.waiting < Self.limitWaiting else { return (nil, false) }
            state.waiting += 1
            return (nil, true)
        }
        guard waits else { return known }
        return await withCheckedContinuation { done in
            thread.async { [self] in
                // Another one may have wanted the same before.
                let html = state.withLock { $0.kept(text) } ?? render(text)
                state.withLock { state in
                    state.waiting -= 1
                    if let html { state.keep(text, html) }
                }
                done.resume(returning: html)
            }
        }
    }

    /// Two generations: when the younger one is full, the older one goes, and with it what nobody wanted since.
    private struct State {
        var waiting = 0
        private var young: [String: String] = [:]
        private var old: [String: String] = [:]
        private var bytes = 0

        mutating func kept(_ text: String) -> String? {
            if let html = young[text] { return html }
            guard let html = old[text] else { return nil }
            keep(text, html)
            return html
        }

        mutating func keep(_ text: String, _ html: String) {
            guard young[text] == nil else { return }
            let size = text.utf8.count + html.utf8.count
            guard size <= Rendering.limitKeptBytes else { return }
            if bytes + size > Rendering.limitKeptBytes { (old, young, bytes) = (young, [:], 0) }
            young[text] = html
            bytes += size
        }
    }
}
