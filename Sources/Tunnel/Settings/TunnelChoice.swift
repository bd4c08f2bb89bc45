import Foundation

/// What an owner chose by command; it outlives restarts of everything and goes before Supervisor.toml.
public struct TunnelChoice: Hashable, Sendable, Codable {
    /// Nil: as the file says.
    public var mode: TunnelMode?
    /// False: stopped by command until it is started by command.
    public var isOn: Bool
    /// It came through the tunnel, and nobody has said yet that the new way carries.
    public var trial: TunnelTrial?
    /// It is down until the next command, whoever is restarted meanwhile.
    public var halt: TunnelHalt?

    /// Both, for good.
    public init(mode: TunnelMode?, isOn: Bool) {
        self.mode = mode
        self.isOn = isOn
    }

    /// Something was chosen by command: not all is as Supervisor.toml says.
    public var isByCommand: Bool { mode != nil || !isOn || trial != nil }

    /// Nothing was chosen.
    public static let none = TunnelChoice(mode: nil, isOn: true)

    private static let name = "choice.json"

    /// Reads it from the tunnel's directory; nothing there is no choice. One that cannot be read may have been a stop.
    public static func read(in directory: String) throws(TunnelError) -> TunnelChoice {
        let path = directory + "/" + name
        guard let data = try SmallFile.read(path) else { return .none }
        guard let choice = try? JSONDecoder().decode(TunnelChoice.self, from: data),
            choice.trial.map({ BootInstant.times.contains($0.until.milliseconds) }) ?? true
        else {
            throw TunnelError("\(path) is damaged")
        }
        return choice
    }

    /// Writes it, whole and synced.
    public func write(in directory: String) throws(TunnelError) {
        // Two fields that can always be encoded.
        let encoder = JSONEncoder()
        // The same choice is the same file.
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(self) else { return }
        try ConfigurationFile.write(String(decoding: data, as: UTF8.self), to: directory + "/" + Self.name)
    }
}

/// Why a tunnel that is wanted stays down until a command.
public enum TunnelHalt: Hashable, Sendable, Codable {
    /// The child was stopped by its name.
    case stopped
    /// The rules in force led elsewhere, in words.
    case exposure(String)

    /// Short enough for the file: what a dashboard pushes has no bound.
    public var bounded: TunnelHalt {
        switch self {
        case .stopped: self
        case .exposure(let words): .exposure(words.shown(500))
        }
    }
}
