public import Chat
import Foundation

/// What may be asked about devices: JSON with `op`, by control clients over the bus, and by the page.
public enum DeviceRequest: Hashable, Sendable {
    /// Makes a one-time code, for a phone or for a browser on this machine; control clients only.
    case pair(DeviceRole, here: Bool)
    /// All devices, one object of type `device` each.
    case devices
    /// Shuts one out.
    case revoke(DeviceID)
    /// How the password is, after it was changed or not; control clients only.
    case password(PasswordChange)
    /// The asking device itself; over HTTP only.
    case own
    /// The asking device wants to be forgotten; over HTTP only.
    case leave
}

/// What becomes of the password that pairing needs beside a code.
public enum PasswordChange: Hashable, Sendable {
    case none
    case set(String)
    case remove
}

extension DeviceRequest {
    private struct Fields: Decodable {
        enum Operation: String, Decodable { case pair, devices, revoke, password, own, leave }
        var op: Operation
        var role: DeviceRole?
        var device: DeviceID?
        var set: String?
        var remove: Bool?
        var here: Bool?
    }

    /// Nil: it is no question about devices.
    public init?(payload: [UInt8]) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(payload)) else { return nil }
        switch fields.op {
        case .pair: self = .pair(fields.role ?? .owner, here: fields.here ?? false)
        case .devices: self = .devices
        case .revoke:
            guard let device = fields.device else { return nil }
            self = .revoke(device)
        case .password:
            self = .password(fields.set.map { .set($0) } ?? (fields.remove == true ? .remove : .none))
        case .own: self = .own
        case .leave: self = .leave
        }
    }
}

/// One device as a line.
struct DeviceLine: Encodable {
    var type = "device"
    var device: DeviceID
    var name: String
    var role: DeviceRole
    var created: Int64
    var seen: Int64
    var address: String
    /// The asking device itself.
    var own: Bool
    /// An answer to it is open: it is here, whatever `seen` says.
    var here: Bool?
    /// Said once, to the page that was paired (`Pass.key`).
    var key: String?

    init(_ device: Device, own: Bool, here: Bool = false) {
        self.device = device.id
        name = device.name
        role = device.role
        created = device.created
        seen = device.seen
        address = device.address
        self.own = own
        self.here = here ? true : nil
    }
}

extension Door {
    /// All devices, those that are here first.
    /// - Parameter asking: the one of them that asks.
    func lines(for asking: DeviceID?) async throws -> [[UInt8]] {
        let lines = try await devices().map { DeviceLine($0, own: $0.id == asking, here: streams.has($0.id)) }
        return (lines.filter { $0.here == true } + lines.filter { $0.here != true }).map(JSONLine.of)
    }
}

/// Whether a browser needs a password beside a code.
struct PasswordLine: Encodable {
    var type = "password"
    var set: Bool
}

/// A one-time code and where to use it.
struct PairingLine: Encodable {
    var type = "pairing"
    var code: String
    var role: DeviceRole
    /// Seconds.
    var good_for: Int64
    /// With the code behind `#`, which browsers send to nobody.
    var url: String
    /// By which way a browser gets there.
    var way: PairingPlace.Way
    /// False: of a quick tunnel, another one after each start of cloudflared.
    var url_lasts: Bool
    /// What tunnel-worker's own looks find at the address in place of the page.
    var url_doubt: String?
    /// False: only a browser on this machine can open it.
    var reachable: Bool
    /// SHA-256 of a self-made certificate, which the browser will ask about.
    var fingerprint: String?
    /// The link as a QR code: a text of 0 and 1 for each row.
    var qr: [String]
    /// More codes would be good than may be: the oldest of them is not any more.
    var ends_oldest: Bool
}
