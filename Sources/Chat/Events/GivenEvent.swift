import AgentModel
import Synchronization

/// An event on its way to everybody who watches: whoever is first writes it, and all others send the same bytes.
public final class GivenEvent: Sendable {
    /// What happened.
    public let event: ChatEvent
    // One a form, as it is asked for.
    private let frames = Mutex<(plain: [[UInt8]]?, page: [[UInt8]]?)>((nil, nil))

    init(_ event: ChatEvent) { self.event = event }

    /// It as frames. Others who want the same wait while it is written: twice the work would take longer.
    func frames(_ line: ChatService.Line) -> [[UInt8]] {
        frames.withLock { frames in
            let known = line.form == .plain ? frames.plain : frames.page
            if let known { return known }
            let written = line(event)
            switch line.form {
            case .plain: frames.plain = written
            case .page: frames.page = written
            }
            return written
        }
    }
}

extension ChatService {
    /// How an event is written as frames, more than one for a long text. There is one writer of each form in a process.
    public struct Line: Sendable {
        /// For whom.
        public enum Form: Hashable, Sendable {
            /// The bus.
            case plain
            /// The page, with what is rendered for it.
            case page
        }

        let form: Form
        private let write: @Sendable (ChatEvent) -> [[UInt8]]

        /// The page's.
        public init(page write: @escaping @Sendable (ChatEvent) -> [[UInt8]]) { self.init(.page, write) }

        private init(_ form: Form, _ write: @escaping @Sendable (ChatEvent) -> [[UInt8]]) {
            self.form = form
            self.write = write
        }

        /// The event as it is, in frames of the bus.
        public static let plain = Line(.plain) { $0.parts(ofAtMost: AgentEvent.textLimit).map(\.json) }

        /// Writes it.
        public func callAsFunction(_ event: ChatEvent) -> [[UInt8]] { write(event) }
    }
}
