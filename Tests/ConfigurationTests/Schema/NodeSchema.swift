import Foundation

@testable import NexusConfiguration

/// As much of JSON Schema (draft-07) as docs/supervisor.schema.json uses, for values of TOML; a keyword that it does not know
/// is a problem, not a pass. scripts/checks/schema asks Python's jsonschema, which is whole.
struct NodeSchema {
    private let root: [String: Any]
    private let patterns = Patterns()

    init(_ json: String) throws {
        root = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] ?? [:]
    }

    /// What is wrong with a file, by place.
    func problems(_ text: String) -> [String] {
        let report = Report(file: "")
        guard let table = Table(toml: Array(text.utf8), report: report) else { return ["no TOML"] }
        return check(.table(table), root, "$")
    }

    private func check(_ value: Node.Value, _ schema: [String: Any], _ place: String) -> [String] {
        schema.flatMap { keyword, rule -> [String] in
            switch keyword {
            // `else` is nobody's, `then` belongs to `if`, and these two to what they bound.
            case "$schema", "$id", "title", "description", "definitions", "then", "additionalItems":
                return []
            case "$ref":
                let name = (rule as? String ?? "").replacingOccurrences(of: "#/definitions/", with: "")
                let target = (root["definitions"] as? [String: Any])?[name] as? [String: Any]
                return target.map { check(value, $0, place) } ?? ["\(place): no definition \(name)"]
            case "allOf": return schemas(rule).flatMap { check(value, $0, place) }
            case "anyOf": return some(rule, value, place) { $0 > 0 }
            case "oneOf": return some(rule, value, place) { $0 == 1 }
            case "not": return fits(value, rule) ? ["\(place): fits what it must not"] : []
            case "if":
                return fits(value, rule) ? check(value, schema["then"] as? [String: Any] ?? [:], place) : []
            case "type": return isA(rule as? String ?? "?", value) ? [] : ["\(place): is no \(rule)"]
            case "const", "enum":
                return isOne(of: keyword == "enum" ? rule : [rule], value) ? [] : ["\(place): \(rule)"]
            case _: return byKind(keyword, rule, value, schema, place)
            }
        }
    }

    /// Keywords that say something of values of one type, and nothing of others.
    private func byKind(
        _ keyword: String, _ rule: Any, _ value: Node.Value, _ schema: [String: Any], _ place: String
    ) -> [String] {
        switch (keyword, value) {
        case ("pattern", .string(let text)):
            return patterns.find(rule as? String ?? "(", in: text) ? [] : ["\(place): '\(text)'"]
        case ("minimum", .integer(let number)):
            return number >= (rule as? Int ?? .max) ? [] : ["\(place): too small"]
        case ("maximum", .integer(let number)):
            return number <= (rule as? Int ?? .min) ? [] : ["\(place): too large"]
        case ("minItems", .array(let list)):
            return list.count >= (rule as? Int ?? .max) ? [] : ["\(place): too few"]
        case ("maxItems", .array(let list)):
            return list.count <= (rule as? Int ?? .min) ? [] : ["\(place): too many"]
        case ("uniqueItems", .array(let list)):
            let texts = list.compactMap { if case .string(let text) = $0.value { text } else { nil } }
            return Set(texts).count == texts.count ? [] : ["\(place): twice"]
        case ("items", .array(let list)):
            let first = rule as? [[String: Any]] ?? []
            let rest = (rule as? [String: Any]) ?? schema["additionalItems"] as? [String: Any] ?? [:]
            return list.enumerated().flatMap { index, node in
                check(node.value, index < first.count ? first[index] : rest, "\(place)[\(index)]")
            }
        case (_, .table(let table)): return member(keyword, rule, table, schema, place)
        case ("pattern", _), ("minimum", _), ("maximum", _), ("minItems", _), ("maxItems", _),
            ("uniqueItems", _),
            ("items", _), ("required", _), ("dependencies", _), ("propertyNames", _), ("properties", _),
            ("additionalProperties", _):
            return []
        case _: return ["\(place): the keyword \(keyword) is not known here"]
        }
    }

    private func member(
        _ keyword: String, _ rule: Any, _ table: Table, _ schema: [String: Any], _ place: String
    ) -> [String] {
        switch keyword {
        case "required":
            return (rule as? [String] ?? []).filter { table[$0] == nil }.map { "\(place): lacks \($0)" }
        case "dependencies":
            return (rule as? [String: [String: Any]] ?? [:]).flatMap { key, schema in
                table[key] == nil ? [] : check(.table(table), schema, "\(place) with \(key)")
            }
        case "propertyNames":
            return table.entries.flatMap {
                check(.string($0.key), rule as? [String: Any] ?? [:], "\(place).\($0.key)")
            }
        case "properties":
            return (rule as? [String: [String: Any]] ?? [:]).flatMap { key, schema in
                table[key].map { check($0.node.value, schema, "\(place).\(key)") } ?? []
            }
        case "additionalProperties":
            let known = schema["properties"] as? [String: Any] ?? [:]
            return table.entries.filter { known[$0.key] == nil }.flatMap { entry in
                (rule as? [String: Any]).map { check(entry.node.value, $0, "\(place).\(entry.key)") }
                    ?? ["\(place): \(entry.key) is not allowed"]
            }
        case "pattern", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "items": return []
        case _: return ["\(place): the keyword \(keyword) is not known here"]
        }
    }

    private func schemas(_ rule: Any) -> [[String: Any]] { rule as? [[String: Any]] ?? [] }

    private func fits(_ value: Node.Value, _ rule: Any) -> Bool {
        check(value, rule as? [String: Any] ?? [:], "").isEmpty
    }

    private func some(_ rule: Any, _ value: Node.Value, _ place: String, _ isRight: (Int) -> Bool)
        -> [String]
    {
        isRight(schemas(rule).count { fits(value, $0) })
            ? [] : ["\(place): none of the choices, or more than one"]
    }

    private func isOne(of rule: Any, _ value: Node.Value) -> Bool {
        switch value {
        case .string(let text): (rule as? [Any] ?? []).contains { $0 as? String == text }
        case .boolean(let flag): (rule as? [Any] ?? []).contains { $0 as? Bool == flag }
        case .integer, .float, .time, .array, .table: false
        }
    }

    private func isA(_ type: String, _ value: Node.Value) -> Bool {
        switch value {
        case .string, .time: type == "string"
        case .integer: type == "integer"
        case .float: type == "number"
        case .boolean: type == "boolean"
        case .array: type == "array"
        case .table: type == "object"
        }
    }

    /// Compiled once each.
    private final class Patterns {
        private var known: [String: NSRegularExpression] = [:]

        func find(_ pattern: String, in text: String) -> Bool {
            let compiled = known[pattern] ?? (try? NSRegularExpression(pattern: pattern))
            known[pattern] = compiled
            let all = NSRange(text.startIndex..., in: text)
            return compiled?.firstMatch(in: text, range: all) != nil
        }
    }
}
