import SupervisorCore
import System
import Wire

/// One connection to the control socket; what is said on it is the router's business.
final class ControlClient: Leaving {
    /// For the hello, and for the rest of a frame that has begun.
    static let patience: Duration = .seconds(5)
    /// With more than this waiting for it nothing is read from a client: its answers would only pile up.
    static let pauseAbove = 65_536

    let peer: PeerID
    let socket: OwnedFD
    let credentials: Credentials
    let access: AccessClass
    /// Supplementary groups at the time of the connection.
    let groups: [UInt32]
    /// What it calls itself, once it said hello.
    var name: String?
    /// When the connection is given up unless what is due has come.
    var deadline: Instant?
    /// What the poller watches for; kept to spare calls that change nothing.
    var watched: PollEvents = .readable

    init(
        _ peer: PeerID, _ socket: consuming OwnedFD, _ credentials: Credentials, groups: [UInt32],
        _ access: AccessClass,
        at now: Instant
    ) {
        self.peer = peer
        self.socket = consume socket
        self.credentials = credentials
        self.access = access
        self.groups = groups
        deadline = now + Self.patience
    }

    private static func isPlain(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || " ._-/".contains(character)
    }

    func leave(by disposal: Disposal) { disposal.closeIfUnread(socket) }

    /// `uid 1000 (pid 4711, nexusctl)`, for the log. It names itself as it likes, and must not write the rest of the line by that.
    var words: String {
        let name = name.map { ", " + String($0.map { Self.isPlain($0) ? $0 : "?" }) } ?? ""
        return "uid \(credentials.user) (pid \(credentials.process)\(name))"
    }
}
