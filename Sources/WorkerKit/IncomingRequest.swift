public import Wire

/// A request of another worker, or of a control client, to this worker.
public struct IncomingRequest: Sendable {
    /// Its id on the bus.
    public let id: FrameID
    /// Who asks, as nexusd says; whatever the payload claims.
    public let peer: PeerID
    /// The control client who asks, when it is one.
    public let client: Client?
    /// By convention JSON.
    public let payload: [UInt8]

    /// A control client (`nexusctl chat`).
    public struct Client: Hashable, Sendable {
        /// What it calls itself.
        public var name: String
        /// Its uid, as the kernel says.
        public var uid: UInt32
    }
}
