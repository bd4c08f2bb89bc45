import Wire

/// `[tunnel]` as the JSON that tunnel-worker gets:
/// `{"mode":"named","id":"…","credentials-file":"…","token-file":"","program":""}`.
struct TunnelSettings {
    let json: String

    init(reader: SectionReader, chat: ChatAddress, report: Report, host: any Machine) {
        let mode = reader(TunnelKeys.mode)
        let keys = [TunnelKeys.id, TunnelKeys.credentialsFile, TunnelKeys.tokenFile, TunnelKeys.program]
        let values = keys.map { (name: $0.info.name, value: reader($0)) }
        let needed = ["named": ["id", "credentials-file"], "token": ["token-file"]][mode] ?? []
        // One that is there and wrong, or misspelt, was reported.
        for key in keys where needed.contains(key.info.name) && reader.isMissing(key) {
            report.error(
                reader.position(of: TunnelKeys.mode), "'mode' is \"\(mode)\", which needs '\(key.info.name)' beside it")
        }
        Self.check(chat, of: mode, report)
        // Also of a mode that only a command may choose.
        for key in [TunnelKeys.credentialsFile, TunnelKeys.tokenFile] where reader(key).hasPrefix("/") {
            let isNeeded = needed.contains(key.info.name)
            let file = TunnelFile(
                path: reader(key),
                tunnel: key.info.name == TunnelKeys.credentialsFile.info.name ? reader(TunnelKeys.id) : nil)
            switch file.look(host) {
            case .good: continue
            case .open(let words): report.error(reader.position(of: key), "'\(key.info.name)': \(words)")
            case .bad(let words):
                let then = isNeeded ? "tunnel-worker takes it when it is mended" : "mode \"\(mode)\" does not need it"
                report.noteNow(
                    reader.position(of: key), matters: isNeeded, "'\(key.info.name)' of [tunnel]: \(words); \(then)")
            }
        }
        var json = JSONWriter()
        json.object {
            $0.field("mode", mode)
            for (name, value) in values { $0.field(name, value) }
        }
        self.json = String(decoding: json.bytes, as: UTF8.self)
    }

    /// What tunnel-worker would not take, and keep the old name for, must not become the new one of chat-bridge.
    private static func check(_ chat: ChatAddress, of mode: String, _ report: Report) {
        guard mode != "off", !chat.url.isEmpty else { return }
        if mode == "quick" {
            return report.error(
                chat.urlPosition,
                "'url' cannot be had with 'mode' \"quick\" of [tunnel], whose name is a random one: the page answers to its own"
                    + " name alone; take 'url' out, or write \"named\" or \"token\"")
        }
        let parts = chat.url.dropFirst("https://".count).split(separator: ":", omittingEmptySubsequences: false)
        let name = parts.first.map(String.init) ?? ""
        let need = "which 'mode' \"\(mode)\" of [tunnel] needs"
        if !HostName.isValid(name) {
            report.error(
                chat.urlPosition,
                "'url' has no name that Cloudflare brings people to, \(need), found \"\(name)\"; an address, or a name of this"
                    + " network alone, is none: \"https://chat.example.invalid\"")
        } else if name.lowercased().hasSuffix(".trycloudflare.com") {
            report.error(
                chat.urlPosition,
                "'url' must have a name of your own, \(need): \"\(name)\" is a quick tunnel's, and Cloudflare brings no other"
                    + " there")
        } else if parts.count > 1 {
            report.error(
                chat.urlPosition,
                "'url' must have a name alone, \(need): Cloudflare brings people by the port 443, found the port"
                    + " \(parts[1]); write \"https://\(name)\"")
        }
    }

    /// 8-4-4-4-12 hexadecimal digits.
    static func isUUID(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.joined().allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"):
                    true
                case _: false
                }
            }
    }
}
