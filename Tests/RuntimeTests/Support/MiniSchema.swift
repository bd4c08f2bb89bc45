import Foundation

/// As much of JSON Schema as docs/status.schema.json uses; a keyword it does not know is a failure, not a pass.
struct MiniSchema {
    private let root: [String: Any]

    init(_ path: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        root = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    /// What is wrong with a document, by place.
    func problems(_ value: Any) -> [String] { check(value, root, "$") }

    private func check(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
        schema.flatMap { keyword, rule -> [String] in
            switch keyword {
            case "$schema", "$id", "$defs", "title", "description", "format", "properties": return []
            case "$ref":
                let name = (rule as? String ?? "").replacingOccurrences(of: "#/$defs/", with: "")
                let target = (root["$defs"] as? [String: Any])?[name] as? [String: Any]
                return target.map { check(value, $0, place) } ?? ["\(place): no definition \(name)"]
            case "type":
                let types = rule as? [String] ?? [rule as? String ?? "?"]
                return types.contains { isA($0, value) } ? [] : ["\(place): is no \(types)"]
            case "enum":
                return (rule as? [String])?.contains(value as? String ?? "?") == true
                    ? [] : ["\(place): not in \(rule)"]
            case "pattern":
                guard let text = value as? String, let pattern = rule as? String else { return [] }
                return text.range(of: pattern, options: .regularExpression) != nil ? [] : ["\(place): '\(text)'"]
            case "minimum": return number(value).map { $0 >= number(rule)! } ?? true ? [] : ["\(place): too small"]
            case "maximum": return number(value).map { $0 <= number(rule)! } ?? true ? [] : ["\(place): too large"]
            case "oneOf":
                let fitting = (rule as? [[String: Any]] ?? []).map { check(value, $0, place) }
                return fitting.count(where: \.isEmpty) == 1 ? [] : ["\(place): fits not one: \(fitting)"]
            case "items":
                guard let list = value as? [Any], let schema = rule as? [String: Any] else { return [] }
                return list.enumerated().flatMap { check($1, schema, "\(place)[\($0)]") }
            case "required":
                guard let object = value as? [String: Any] else { return [] }
                return (rule as? [String] ?? []).filter { object[$0] == nil }.map { "\(place): lacks \($0)" }
            case "additionalProperties": return members(value, schema, rule, place)
            case _: return ["\(place): the keyword \(keyword) is not known here"]
            }
        }
    }

    private func members(_ value: Any, _ schema: [String: Any], _ rule: Any, _ place: String) -> [String] {
        guard let object = value as? [String: Any] else { return [] }
        let known = schema["properties"] as? [String: Any] ?? [:]
        return object.flatMap { name, value -> [String] in
            if let schema = known[name] as? [String: Any] { return check(value, schema, "\(place).\(name)") }
            if let schema = rule as? [String: Any] { return check(value, schema, "\(place).\(name)") }
            return ["\(place): \(name) is not allowed"]
        }
    }

    private func isA(_ type: String, _ value: Any) -> Bool {
        let flag = (value as? NSNumber).map(isFlag) ?? false
        return switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": flag
        case "integer": !flag && (value as? NSNumber).map { Double($0.int64Value) == $0.doubleValue } ?? false
        case "null": value is NSNull
        case _: false
        }
    }

    private func isFlag(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }

    private func number(_ value: Any) -> Double? { (value as? NSNumber)?.doubleValue }
}
