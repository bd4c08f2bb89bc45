import Foundation

/// What an owner answers on the way to a tunnel (`nexusctl tunnel setup`), as far as it goes: looked at before any of it stands
/// in Supervisor.toml.
public struct TunnelAnswers: Hashable, Sendable, Codable {
    /// Nil: only the program is looked at.
    public var mode: TunnelMode?
    /// Of a named tunnel.
    public var credentialsFile: String?
    /// Of a token tunnel.
    public var tokenFile: String?
    /// Nil: not asked for yet; then only the file is looked at. Empty: the rules of a token tunnel give it.
    public var url: String?

    enum CodingKeys: String, CodingKey {
        case mode, url
        case credentialsFile = "credentials_file"
        case tokenFile = "token_file"
    }

    /// All of it.
    public init(
        mode: TunnelMode? = nil, credentialsFile: String? = nil, tokenFile: String? = nil, url: String? = nil
    ) {
        self.mode = mode
        self.credentialsFile = credentialsFile
        self.tokenFile = tokenFile
        self.url = url
    }
}

/// What was found good.
public struct TunnelExamination: Hashable, Sendable, Codable {
    /// Says what this is, in JSON.
    public var type = "examination"
    /// Path of cloudflared.
    public var program: String
    /// As it says.
    public var version: String
    /// Of a named tunnel, as its credentials file says.
    public var id: String?
    /// What a rule of Cloudflare's dashboard must lead to.
    public var service: String
    /// Supervisor.toml says all of this already; nothing is to be written there.
    public var stands: Bool { differs.isEmpty }
    /// Keys of Supervisor.toml that say something else.
    public var differs: [String] = []

    enum CodingKeys: String, CodingKey { case type, program, version, id, service, differs }
}

extension TunnelWorkshop {
    /// Looks at answers as a start would. The error names the field of the first that is not good; nothing is changed.
    public func examine(_ answers: TunnelAnswers) async throws(TunnelError) -> TunnelExamination {
        let program = try await program()
        var found = TunnelExamination(
            program: program.path, version: program.version.description, id: nil,
            service: "unix:" + settings.chatSocket)
        guard let mode = answers.mode, mode != .off else { return found }
        var wanted = settings
        switch mode {
        case .off, .quick: break
        case .named:
            let file = answers.credentialsFile ?? ""
            let id = try CredentialsFile.tunnel(file).uuidString.lowercased()
            (wanted.credentialsFile, wanted.id, found.id) = (file, id, id)
        case .token:
            let file = answers.tokenFile ?? ""
            try TokenFile.read(file)
            wanted.tokenFile = file
        }
        if mode != .quick {
            guard let url = answers.url else {
                found.differs = wanted.differences(from: settings)
                return found
            }
            wanted.url = mode == .token && url.isEmpty ? "" : try TunnelSettings.address(url)
        }
        try await changed(to: wanted).check(mode)
        found.differs = wanted.differences(from: settings)
        return found
    }
}

extension TunnelSettings {
    /// Keys by which another one differs, but for the mode, which is chosen by command, ways of writing a UUID, and the case of
    /// a name.
    fileprivate func differences(from other: TunnelSettings) -> [String] {
        var keys: [String] = []
        if url.lowercased() != other.url.lowercased() { keys.append("[chat] url") }
        if id != other.id, UUID(uuidString: id) == nil || UUID(uuidString: id) != UUID(uuidString: other.id) {
            keys.append("[tunnel] id")
        }
        if credentialsFile != other.credentialsFile { keys.append("[tunnel] credentials-file") }
        if tokenFile != other.tokenFile { keys.append("[tunnel] token-file") }
        return keys
    }
}
