import Foundation
import Glibc

/// The owner's credentials or token, as it was judged good last: a copy in the tunnel's private directory, from which cloudflared
/// is started. The owner's file may go bad, or go, at any time, and what is in force does not depend on it.
public struct KeptSecret: Hashable, Sendable, Codable {
    /// Whose credentials; nil: a token, of whatever tunnel.
    let tunnel: UUID?
    /// The owner's; absolute.
    let file: String
    /// Absolute.
    let copy: String

    /// Of what cloudflared is to be; nil: that has no secret.
    init?(_ identity: TunnelConfiguration.Identity, in directory: String) {
        switch identity {
        // By its name it belongs to the `tunnel:` of one config.yml, whichever of the two is written first.
        case .named(let tunnel, let file):
            (self.tunnel, self.file) = (tunnel, file)
            copy = directory + "/credentials-\(tunnel.uuidString.lowercased()).json"
        case .token(let file): (tunnel, self.file, copy) = (nil, file, directory + "/token")
        case .quick: return nil
        }
    }

    /// Makes the copy what the owner's file says, when that is good; else the error names what is wrong with it, and the copy
    /// stays as it is. True: it says something else than before.
    @discardableResult
    public func follow() throws(TunnelError) -> Bool {
        let text =
            if let tunnel { try CredentialsFile.read(file, tunnel: tunnel) } else { try TokenFile.read(file) }
        let kept = try? SmallFile.contents(of: copy, limitBytes: SecretFile.limitBytes, flags: O_NOFOLLOW)?.bytes
        guard kept != Data(text.utf8) else { return false }
        try ConfigurationFile.write(text, to: copy)
        return true
    }

    /// Takes away the copies of others, all when there is none; secrets that nobody needs do not lie about.
    static func sweep(_ directory: String, but kept: KeptSecret?...) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasPrefix("credentials-") || name.hasPrefix("token") {
            let path = directory + "/" + name
            if !kept.contains(where: { $0?.copy == path }) { unlink(path) }
        }
    }
}

extension TunnelConfiguration.Identity {
    /// The same, proved by the copy.
    func proved(by kept: KeptSecret?) -> Self {
        guard let kept else { return self }
        switch self {
        case .named(let tunnel, _): return .named(tunnel, credentialsFile: kept.copy)
        case .token: return .token(file: kept.copy)
        case .quick: return self
        }
    }
}
