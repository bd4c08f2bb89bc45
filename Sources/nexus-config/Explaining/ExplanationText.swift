import NexusConfiguration
import Plan
import Wire

/// An explanation with what the running nexusd goes by, where one runs.
struct ExplanationText {
    let explanation: Explanation
    /// nil: nothing is known of a nexusd.
    let running: Running?

    /// What is in force, unless it comes to what the file says, however that is written.
    private var force: Running.Force? {
        guard let running else { return nil }
        let force = running.force(of: explanation)
        if case .other(let value) = force, let inFile = explanation.inFile, !running.isRemoved,
            Self.plain(value) == Self.plain(inFile.text)
        {
            return .asInFile
        }
        return force
    }

    private static func plain(_ text: String) -> String {
        let bare = text.hasPrefix("\"") && text.hasSuffix("\"") ? String(text.dropFirst().dropLast()) : text
        return DurationText.parse(bare).map(DurationText.show) ?? SizeText.parse(bare).map(SizeText.show) ?? bare
    }

    /// For people.
    var text: String {
        var lines: [String] = []
        if let key = explanation.key {
            lines.append("\(explanation.path): \(key.summary)")
            lines.append("  type     \(key.type)")
            lines.append("  default  \(key.initial.isEmpty ? "none" : key.initial)")
            if !key.range.isEmpty { lines.append("  values   \(key.range)") }
            if let reload = explanation.reload { lines.append("  reload   \(reload)") }
            lines += values
        } else {
            lines.append("\(explanation.path): keys of \(explanation.section)")
        }
        let width = explanation.keys.map(\.name.count).max() ?? 0
        for key in explanation.keys {
            // Of a table whose own default stands "below".
            let initial = explanation.key == nil || key.initial.isEmpty ? "" : "  (default \(key.initial))"
            lines.append(
                "  \(key.name)\(String(repeating: " ", count: width - key.name.count))  \(key.summary)\(initial)")
        }
        if explanation.key == nil { lines += allInForce }
        return lines.map { ControlText.escaped($0) + "\n" }.joined()
    }

    private var values: [String] {
        guard let inFile = explanation.inFile else { return [] }
        let written = "\(inFile.text)  (\(inFile.place ?? "the default"))"
        guard let running, let force else { return ["  in file  \(written)"] }
        switch force {
        case .asInFile:
            guard explanation.isTableLeftOut, let parts = running.parts(of: explanation) else {
                return ["  in force \(written)"]
            }
            return ["  in force \(parts)  (the default)"]
        case .chosen(let value):
            let name = explanation.path.split(separator: ".").dropFirst().first ?? ""
            return [
                "  in force \(value)  (by command; `nexusctl reset \(name)` gives it back to the file)",
                "  in file  \(written)",
            ]
        case .other(let value): return ["  in force \(value)  (nexusd)", "  in file  \(written)\(remark(running))"]
        case .unknown: return ["  in file  \(written)\(remark(running))"]
        }
    }

    private func remark(_ running: Running) -> String {
        if let refusal = running.refusal { return "; the file is refused as it is: \(refusal)" }
        if case .unknown = force {
            return "; part of \(explanation.section) is not in force, perhaps not this key: see `nexusctl diff`"
        }
        return "; not in force: `nexusctl diff` shows what differs, `nexusctl reload` puts it in force"
    }

    /// Of a whole child.
    private var allInForce: [String] {
        guard let running, !running.settings.isEmpty else { return [] }
        let names = Setting.all.map(\.name)
        let width = names.map(\.count).max() ?? 0
        var lines = ["", "in force in nexusd:"]
        for name in names {
            guard let value = running.settings[name], !value.isEmpty else { continue }
            let differs = running.changed.contains(name) ? "  (the file differs: `nexusctl diff`)" : ""
            lines.append("  \(name)\(String(repeating: " ", count: width - name.count))  \(value)\(differs)")
        }
        if let choice = running.choice { lines.append("  by command: \(choice)") }
        if let refusal = running.refusal { lines.append("the file is refused as it is: \(refusal)") }
        return lines
    }

    /// For programs.
    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("key", explanation.path)
            writer.field("section", explanation.section)
            writer.field("type", explanation.key?.type)
            writer.field("default", explanation.key.flatMap { $0.initial.isEmpty ? nil : $0.initial })
            writer.field("values", explanation.key.flatMap { $0.range.isEmpty ? nil : $0.range })
            writer.field("summary", explanation.key?.summary)
            writer.field("reload", explanation.reload)
            writer.field("value", explanation.inFile?.text)
            writer.field("place", explanation.inFile?.place)
            let (inForce, word) = inForceWords
            writer.field("in_force", inForce)
            writer.field("file", word)
            writer.array("keys") { writer in for key in explanation.keys { writer.value(key.name) } }
        }
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    /// The value in force, and how the file stands to it; nil: no nexusd was asked.
    private var inForceWords: (String?, String?) {
        switch force {
        case nil: (nil, nil)
        case .asInFile: (explanation.inFile?.text, "same")
        case .other(let value): (value, "differs")
        case .chosen(let value): (value, "overruled")
        case .unknown: (nil, "unknown")
        }
    }
}
