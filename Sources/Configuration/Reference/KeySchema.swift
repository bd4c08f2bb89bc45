import Foundation

/// The JSON Schema (draft-07, which editors of TOML read) of Supervisor.toml: what `nexus-config schema` prints and
/// docs/supervisor.schema.json holds.
public enum KeySchema {
    /// Tables at the top of the file, by name; those with a name of their own have one more level.
    private static let top: [(name: String, section: SectionInfo, isNamed: Bool)] = [
        ("supervisor", SupervisorKeys.section, false), ("log", LogKeys.section, false),
        ("group", GroupKeys.section, true), ("child", ChildKeys.section, true),
        ("secret", SecretKeys.section, true), ("agent", AgentKeys.section, false),
        ("chat", ChatKeys.section, false), ("word", WordKeys.section, false),
        ("tunnel", TunnelKeys.section, false),
    ]

    /// Indented, its members in alphabetical order, a newline at the end.
    public static var json: String {
        var properties: [String: Any] = [:]
        for entry in top {
            let section = reference(entry.section.title)
            let named: [String: Any] = [
                "type": "object", "description": entry.section.summary, "additionalProperties": section,
                "propertyNames": ["pattern": "^[a-z0-9][a-z0-9-]{0,31}$"],
            ]
            properties[entry.name] = entry.isNamed ? named : section
        }
        let document: [String: Any] = [
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$id": "https://nexus.invalid/supervisor.schema.json",
            "title": "Supervisor.toml",
            "description":
                "Written by `nexus-config schema` from the table of keys; nexus-config knows more than this says.",
            "type": "object", "additionalProperties": false, "properties": properties,
            "definitions": Dictionary(
                uniqueKeysWithValues: KeyReference.sections.map { section -> (String, Any) in
                    (name(of: section.title), schema(of: section))
                }),
        ]
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = (try? JSONSerialization.data(withJSONObject: document, options: options)) ?? Data()
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    private static func schema(of section: SectionInfo) -> [String: Any] {
        var properties: [String: Any] = [:]
        for key in section.keys { properties[key.name] = schema(of: key) }
        var schema: [String: Any] = [
            "type": "object", "description": section.summary, "additionalProperties": false, "properties": properties,
        ]
        let required = section.keys.filter { $0.initial == "required" }.map(\.name)
        if !required.isEmpty { schema["required"] = required }
        return schema
    }

    private static func schema(of key: KeyInfo) -> [String: Any] {
        var words = key.summary
        if !key.initial.isEmpty, key.initial != "required" { words += " Default: \(key.initial)." }
        if !key.range.isEmpty { words += " Values: \(key.range)." }
        // In draft-07 nothing counts beside a reference.
        if case .section = key.shape { return ["allOf": [schema(of: key.shape)], "description": words] }
        return schema(of: key.shape).merging(["description": words]) { _, new in new }
    }

    private static func schema(of shape: KeyShape) -> [String: Any] {
        switch shape {
        case .flag: ["type": "boolean"]
        case .never: ["const": false]
        case .integer(let range):
            ["type": "integer", "minimum": range.lowerBound].merging(
                range.upperBound == .max ? [:] : ["maximum": range.upperBound]
            ) { _, new in new }
        case .duration: ["type": "string", "pattern": "^[0-9]+(ns|us|ms|s|min|h|d)( *[0-9]+(ns|us|ms|s|min|h|d))*$"]
        case .size:
            [
                "oneOf": [
                    ["type": "integer", "minimum": 0] as [String: Any],
                    ["type": "string", "pattern": "^[0-9]+ *([kKMGT]?B|[KMGT]iB)?$"],
                ]
            ]
        case .text: ["type": "string"]
        case .word(let words): ["enum": words]
        case .list(let element): ["type": "array", "items": schema(of: element)]
        case .section(let title): reference(title)
        case .map(let values): ["type": "object", "additionalProperties": schema(of: values)]
        case .fields(let names):
            [
                "type": "object", "additionalProperties": false, "required": names,
                "properties": Dictionary(uniqueKeysWithValues: names.map { ($0, ["type": "string"]) }),
            ]
        case .any(let shapes): ["anyOf": shapes.map { schema(of: $0) }]
        }
    }

    private static func integer(_ range: ClosedRange<Int>) -> [String: Any] {
        var schema: [String: Any] = ["type": "integer", "minimum": range.lowerBound]
        if range.upperBound != .max { schema["maximum"] = range.upperBound }
        return schema
    }

    private static func reference(_ title: String) -> [String: Any] { ["$ref": "#/definitions/\(name(of: title))"] }

    /// `[child.NAME]` → `child`.
    private static func name(of title: String) -> String {
        let inner = title.filter { $0 != "[" && $0 != "]" }
        return String(inner.split(separator: ".").first ?? Substring(inner)) + (isShared(title) ? "-of-child" : "")
    }

    /// `log` of a child and `[log]` are two sections.
    private static func isShared(_ title: String) -> Bool {
        !title.hasPrefix("[") && KeyReference.sections.contains { $0.title == "[\(title)]" }
    }
}
