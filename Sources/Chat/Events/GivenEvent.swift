import AgentModel
import Synchronization

/// An event on its way to everybody who watches: whoever is first writes it, and all others send the same bytes.
public final class GivenEvent: Sendable {
    /// What happened.
    public let event: ChatEvent
    // One a form, as it is asked for.
    private let writings = Mutex<(plain: Writing?, page: Writing?)>((nil, nil))

    private enum Writing {
        case done([[UInt8]])
        case underWay(Task<[[UInt8]], Never>)
    }

    init(_ event: ChatEvent) { self.event = event }

    /// It as frames, where nobody need wait for them: so it is with all words but those that are rendered.
    func framesAtOnce(_ line: ChatService.Line) -> [[UInt8]]? {
        switch writing(line) {
        case .done(let frames): frames
        case .underWay: nil
        }
    }

    /// It as frames. Others who want the same wait while it is written: twice the work would take longer.
    func frames(_ line: ChatService.Line) async -> [[UInt8]] {
        switch writing(line) {
        case .done(let frames): frames
        case .underWay(let task): await task.value
        }
    }

    private func writing(_ line: ChatService.Line) -> Writing {
        writings.withLock { writings in
            if let known = line.form == .plain ? writings.plain : writings.page { return known }
            // A task of nobody's: the one who came first may leave, and the others still wait for it.
            let writing =
                line.atOnce(event).map { .done($0) } ?? Writing.underWay(Task { [event] in await line(event) })
            switch line.form {
            case .plain: writings.plain = writing
            case .page: writings.page = writing
            }
            return writing
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
        /// Nil: it takes longer than somebody may be held up.
        let atOnce: @Sendable (ChatEvent) -> [[UInt8]]?
        private let slowly: @Sendable (ChatEvent) async -> [[UInt8]]

        /// The page's.
        /// - Parameters:
        ///   - atOnce: writes what takes no time; nil: something is to be made for it first.
        ///   - slowly: writes all others.
        public init(
            page atOnce: @escaping @Sendable (ChatEvent) -> [[UInt8]]?,
            slowly: @escaping @Sendable (ChatEvent) async -> [[UInt8]]
        ) { self.init(.page, atOnce, slowly) }

        private init(
            _ form: Form, _ atOnce: @escaping @Sendable (ChatEvent) -> [[UInt8]]?,
            _ slowly: @escaping @Sendable (ChatEvent) async -> [[UInt8]]
        ) { (self.form, self.atOnce, self.slowly) = (form, atOnce, slowly) }

        /// The event as it is, in frames of the bus.
        public static let plain = Line(.plain, frames, frames)

        @Sendable private static func frames(_ event: ChatEvent) -> [[UInt8]] {
            event.parts(ofAtMost: AgentEvent.textLimit).map(\.json)
        }

        /// Writes it.
        public func callAsFunction(_ event: ChatEvent) async -> [[UInt8]] {
            if let frames = atOnce(event) { frames } else { await slowly(event) }
        }
    }
}
