import Plan
import Wire

/// Builds `[secret.NAME]`.
struct SecretBuilder {
    let sections: [Placed<(name: String, table: Table)>]
    let names: TreeNames
    let places: Places
    let host: any Machine
    let report: Report

    /// Longest secret in a file, in bytes.
    static let sizeLimit = 65_536

    func build() -> [SecretPlan] {
        sections.filter { names.secret($0.value.name) != nil }.map { section in
            SecretPlan(name: section.value.name, source: source(section.value.name, section.value.table))
        }
    }

    private func source(_ name: String, _ table: Table) -> SecretPlan.Source {
        let reader = SectionReader(SecretKeys.section, table, label: "[secret.\(name)]", report: report)
        let given = SecretKeys.section.keys.filter { table[$0.name] != nil }
        // An unknown key, which was reported, is what was meant.
        if given.count > 1 || table.entries.isEmpty {
            let position = given.count > 1 ? table[given[1].name]?.position : nil
            report.error(
                position ?? table.position,
                "\(reader.label) must have exactly one of file, credential and generate, found \(given.count)")
        }
        if let path = reader(SecretKeys.file) {
            return .file(file(path, reader.position(of: SecretKeys.file)))
        }
        if let credential = reader(SecretKeys.credential) {
            // As systemd has it: a file name in one directory (systemd.exec(5)).
            if credential.isEmpty || credential.contains("/") || credential.hasPrefix(".") {
                report.error(
                    reader.position(of: SecretKeys.credential),
                    "'\(credential)' is no name of a credential; it is a file name")
            }
            return .credential(credential)
        }
        // Nobody wrote `generate`: what it would ask of the groups is not what is wrong.
        if given.isEmpty { return .credential(name) }
        return .generated(bytes: UInt16(reader(SecretKeys.generate) ?? 32))
    }

    private func file(_ text: String, _ position: Position) -> String {
        let path = PathText(places: places, host: host)
        guard let absolute = path.absolute(text, home: path.ownHome) else {
            report.error(position, PathText.refusal("file", text))
            return text
        }
        if let words = Trust(host: host).distrust(file: absolute) {
            report.error(position, "\(words), or keep the secret elsewhere: a link put there would hand out any file")
            return absolute
        }
        guard let status = host.status(absolute) else {
            report.error(position, "there is no file '\(absolute)'; make it (mode 0600) or correct the path")
            return absolute
        }
        if status.kind != .regular {
            report.error(position, "'\(absolute)' is no regular file: put one in its place, or correct the path")
        } else if status.size > SecretBuilder.sizeLimit {
            report.error(position, "'\(absolute)' has \(status.size) bytes; a secret has at most 65536")
        } else if let words = SecretMode.complaint(absolute, mode: status.mode) {
            report.error(position, words)
        } else if let bytes = try? host.read(absolute, limit: SecretBuilder.sizeLimit).1 {
            refuse(bytes, absolute, position)
            noteShort(bytes, absolute, status.size)
        }
        return absolute
    }

    /// nexusd hands a secret over as text, in a file too; the value is never shown.
    private func refuse(_ bytes: [UInt8], _ path: String, _ position: Position) {
        guard let (what, place) = SourceText.fault(in: bytes) else { return }
        report.error(
            position,
            "'\(path)', line \(place.line), column \(place.column): \(what); a secret is UTF-8 text without NUL: write it as such"
                + " (as base64 does), and let the program decode it")
    }

    /// A short value would blot out half of every log, so it is not looked for there.
    private func noteShort(_ bytes: [UInt8], _ path: String, _ size: Int) {
        let count = bytes.count - (bytes.last == UInt8(ascii: "\n") ? 1 : 0)
        guard size <= LogStream.shortestRedaction, count < LogStream.shortestRedaction else { return }
        report.note(
            "the secret in '\(path)' has \(count) bytes: under \(LogStream.shortestRedaction) it is not redacted in logs; take a longer one"
        )
    }
}
