/// Reads a file that decides what runs, and trusts it only when nobody else could have written it.
struct SourceText {
    /// UTF-8 without NUL.
    let bytes: [UInt8]

    /// Longest file, in bytes.
    static let limit = 1024 * 1024

    /// Reads `path`; whatever is wrong gives nil and is reported: bad text at its place in the file, what concerns the
    /// file as a whole at `reference`, the place in Supervisor.toml that names it, if there is one.
    init?(path: String, name: String, reference: Position? = nil, host: any Machine, report: Report) {
        func refuse(_ words: String) {
            if let reference {
                report.error(reference, "'\(name)': \(words)")
            } else {
                report.error(in: name, nil, words)
            }
        }
        let status: FileStatus
        do {
            (status, bytes) = try host.read(path, limit: SourceText.limit)
        } catch {
            refuse(SourceText.words(for: error))
            return nil
        }
        if let words = SourceText.distrust(status, host) {
            refuse(words)
            return nil
        }
        if let words = SourceText.distrust(directoryOf: path, host)
            ?? Trust(host: host).distrust(file: path)
        {
            refuse(words)
            return nil
        }
        guard SourceText.isText(bytes, name, report) else { return nil }
    }

    private static func words(for error: MachineError) -> String {
        switch error {
        case .missing: "there is no such file: make it, or correct the path"
        case .notRegular(let kind): "it is \(kind), not a regular file: name a file of text"
        case .tooLarge(let bytes): "the file has \(bytes) bytes; at most \(limit) are read (1 MiB): make it shorter"
        case .failed(let why): "it cannot be read: \(why)"
        }
    }

    /// Why somebody else could have written the file; nil: nobody could.
    static func distrust(_ status: FileStatus, _ host: any Machine) -> String? {
        if status.owner != 0, status.owner != host.userID {
            return "the file belongs to uid \(status.owner); it must belong to \(owners(host)): chown it"
        }
        if status.mode & 0o002 != 0 { return "everybody may write this file: chmod o-w it" }
        if status.mode & 0o020 != 0, status.group != 0, status.group != host.groupID {
            return "group \(status.group), which is not yours, may write this file: chmod g-w it, or chgrp it"
        }
        return nil
    }

    /// Root is nexusd's own user, mostly.
    private static func owners(_ host: any Machine) -> String {
        host.userID == 0 ? "root" : "root or to uid \(host.userID)"
    }

    /// Who may write its directory may put another file in its place; in a sticky one only the owners may (/tmp).
    private static func distrust(directoryOf path: String, _ host: any Machine) -> String? {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = slash == path.startIndex ? "/" : String(path[..<slash])
        guard let status = host.status(directory) else { return nil }
        let why = "and could replace the file"
        if status.owner != 0, status.owner != host.userID {
            return
                "its directory '\(directory)' belongs to uid \(status.owner), who could replace the file: chown it to"
                + " \(owners(host)), or keep the file elsewhere"
        }
        if status.mode & 0o1000 != 0 { return nil }
        if status.mode & 0o002 != 0 {
            return "everybody may write its directory '\(directory)' \(why): chmod o-w it, or keep the file elsewhere"
        }
        if status.mode & 0o020 != 0, status.group != 0, status.group != host.groupID {
            return
                "group \(status.group), which is not yours, may write its directory '\(directory)' \(why): chmod g-w it,"
                + " or chgrp it"
        }
        return nil
    }

    private static func isText(_ bytes: [UInt8], _ name: String, _ report: Report) -> Bool {
        guard let fault = fault(in: bytes) else { return true }
        report.error(in: name, fault.position, "\(fault.what); the file must be plain UTF-8 text: save it as such")
        return false
    }

    /// The first byte that is no UTF-8 text, or NUL; nil: there is none.
    static func fault(in bytes: [UInt8]) -> (what: String, position: Position)? {
        var position = Position.start
        var rest = bytes[...]
        while let byte = rest.first {
            let width = Unicode.width(of: rest)
            guard width > 0, byte != 0 else {
                return (byte == 0 ? "NUL byte" : "byte 0x\(String(byte, radix: 16)) is not UTF-8", position)
            }
            if byte == UInt8(ascii: "\n") {
                position = Position(line: position.line + 1, column: 1)
            } else {
                position.column += 1
            }
            rest = rest.dropFirst(width)
        }
        return nil
    }
}

extension Unicode {
    /// Bytes of the well-formed scalar at the start (Unicode, table 3-7); 0: it is not well-formed.
    fileprivate static func width(of bytes: ArraySlice<UInt8>) -> Int {
        let start = bytes.startIndex
        func has(_ index: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            start + index < bytes.endIndex && range.contains(bytes[start + index])
        }
        switch bytes[start] {
        case 0...0x7F: return 1
        case 0xC2...0xDF: return has(1) ? 2 : 0
        case 0xE0: return has(1, 0xA0...0xBF) && has(2) ? 3 : 0
        case 0xED: return has(1, 0x80...0x9F) && has(2) ? 3 : 0
        case 0xE1...0xEF: return has(1) && has(2) ? 3 : 0
        case 0xF0: return has(1, 0x90...0xBF) && has(2) && has(3) ? 4 : 0
        case 0xF4: return has(1, 0x80...0x8F) && has(2) && has(3) ? 4 : 0
        case 0xF1...0xF3: return has(1) && has(2) && has(3) ? 4 : 0
        case _: return 0
        }
    }
}
