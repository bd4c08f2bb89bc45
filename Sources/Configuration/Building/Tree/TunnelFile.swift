import Wire

/// A file of secrets that `[tunnel]` names, as far as it can be known when Supervisor.toml is read. That it is bad refuses
/// nothing: what runs has a copy of it, which holds while the owner's is bad or gone, and tunnel-worker looks at it again each
/// 30 s. It judges the whole of it, by the rules of cloudflared.
struct TunnelFile {
    /// Absolute.
    let path: String
    /// Of a credentials file: the tunnel it is to be of, empty where no id is written. nil: it is a file with a token.
    let tunnel: String?

    /// Longest one that tunnel-worker reads, in bytes.
    private static let limitBytes = 16_384

    /// What was found.
    enum Look: Hashable {
        case good
        /// Others may read or write it, which is refused.
        case open(String)
        /// As it is, nothing is started with it; or whether that is so cannot be told.
        case bad(String)
    }

    func look(_ host: any Machine) -> Look {
        if let status = host.status(path), status.kind == .regular,
            let words = SecretMode.complaint(path, mode: status.mode)
        {
            return .open(words)
        }
        let bytes: [UInt8]
        do {
            bytes = try host.read(path, limit: Self.limitBytes).1
        } catch {
            return .bad(words(for: error))
        }
        guard bytes.contains(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return .bad("\(path) is empty") }
        return complaint(bytes).map { .bad($0) } ?? .good
    }

    private func words(for error: MachineError) -> String {
        switch error {
        case .missing: "there is no file \(path)"
        case .notRegular(let what): "\(path) is \(what), and no file"
        case .tooLarge(let bytes): "\(path) has \(bytes) bytes, and \(Self.limitBytes) are the most"
        case .failed(let why): "what is in \(path) cannot be told: \(why)"
        }
    }

    /// Nothing of what is in it is in the words.
    private func complaint(_ bytes: [UInt8]) -> String? {
        guard let tunnel else { return nil }
        guard let json = try? JSONParser.parse(bytes), case .object(let members) = json else {
            return "\(path) is no JSON object, as cloudflared tunnel create writes it"
        }
        // Go takes a name in any case of its letters.
        func text(_ name: String) -> String? {
            members.last { $0.name.lowercased() == name.lowercased() }?.value.text
        }
        let names = ["AccountTag", "TunnelSecret", "TunnelID"]
        if let missing = names.first(where: { text($0)?.isEmpty ?? true }) { return "\(missing) is missing in \(path)" }
        // Other ways to write one are tunnel-worker's to read.
        if let id = text("TunnelID"), TunnelSettings.isUUID(id), TunnelSettings.isUUID(tunnel),
            id.lowercased() != tunnel.lowercased()
        {
            return "\(path) is of the tunnel \(id.lowercased()), and 'id' is \(tunnel.lowercased())"
        }
        return nil
    }
}
