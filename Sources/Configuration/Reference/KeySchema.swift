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

    /// What the names of these may be.
    private static let names: [String: TextForm] = ["child": .child, "group": .group, "secret": .name]

    /// Indented, its members in alphabetical order, a newline at the end.
    public static var json: String {
        var properties: [String: Any] = [:]
        for entry in top {
            let section = reference(entry.section.title)
            let named: [String: Any] = [
                "type": "object", "description": entry.section.summary, "additionalProperties": section,
                "propertyNames": ["pattern": (names[entry.name] ?? .name).pattern],
            ]
            properties[entry.name] = entry.isNamed ? named : section
        }
        let document: [String: Any] = [
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$id": "https://nexus.invalid/supervisor.schema.json",
            "title": "Supervisor.toml",
            "description":
                "Written by `nexus-config schema` from the table of keys; nexus-config knows more than this says.",
            "type": "object", "additionalProperties": false, "properties": properties, "required": ["child"],
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
        let rules = section.rules.map(schema(of:))
        if !rules.isEmpty { schema["allOf"] = rules }
        return schema
    }

    private static func schema(of rule: SectionRule) -> [String: Any] {
        func given(_ keys: [String]) -> [[String: Any]] { keys.map { ["required": [$0]] } }
        switch rule {
        case .one(let keys): return ["oneOf": given(keys)]
        case .beside(let key, let others): return ["dependencies": [key: ["anyOf": given(others)]]]
        case .without(let key, let others): return ["dependencies": [key: ["not": ["anyOf": given(others)]]]]
        case .onlyWith(let key, let flag):
            return [
                "dependencies": [key: ["required": [flag], "properties": [flag: ["const": true]]] as [String: Any]]
            ]
        case .needs(let key, let value, let others):
            return [
                "if": ["required": [key], "properties": [key: ["const": value]]] as [String: Any],
                "then": ["required": others],
            ]
        }
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
        case .integer(let range): integer(range)
        case .size(let range):
            [
                "anyOf": [
                    ["type": "integer", "minimum": range.lowerBound, "maximum": range.upperBound] as [String: Any],
                    schema(of: .form(range.lowerBound > 0 ? .sizeAboveZero : .size)),
                ]
            ]
        case .text: ["type": "string"]
        case .form(let form): ["type": "string", "pattern": form.pattern]
        case .word(let words): ["enum": words]
        case .list(let element, let count, let isUnique): list(of: element, count, isUnique)
        case .command:
            [
                "type": "array", "minItems": 1, "items": [schema(of: .form(.program))],
                "additionalItems": schema(of: .form(.template)),
            ]
        case .section(let title): reference(title)
        case .map(let values, let names):
            [
                "type": "object", "additionalProperties": schema(of: values),
                "propertyNames": ["pattern": names.pattern],
            ]
        case .members(let members):
            ["type": "object", "additionalProperties": false, "properties": members.mapValues { schema(of: $0) }]
        case .fields(let names):
            [
                "type": "object", "additionalProperties": false, "required": names,
                "properties": Dictionary(uniqueKeysWithValues: names.map { ($0, schema(of: .form(.name))) }),
            ]
        case .any(let shapes): ["anyOf": shapes.map { schema(of: $0) }]
        }
    }

    private static func list(of element: KeyShape, _ count: ClosedRange<Int>, _ isUnique: Bool) -> [String: Any] {
        var list: [String: Any] = ["type": "array", "items": schema(of: element)]
        if count.lowerBound > 0 { list["minItems"] = count.lowerBound }
        if count.upperBound < .max { list["maxItems"] = count.upperBound }
        if isUnique { list["uniqueItems"] = true }
        return list
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
