/// Permissions and forms as 2.x has them.
enum V2Asking {
    static func permission(_ request: PermissionRequest) -> Shape {
        [
            "id": .text(request.id), "sessionID": .text(request.sessionID),
            "action": .text(V2Message.toolName(request.permission)),
            "resources": .list(request.patterns.map(Shape.text)), "save": .list(request.always.map(Shape.text)),
            "metadata": .object(request.metadata.mapValues(Shape.text)), "source": source(request.tool),
        ]
    }

    /// As opencode's tool `question` makes it.
    static func form(_ request: QuestionRequest) -> Shape {
        let fields = request.questions.enumerated().map { number, question -> Shape in
            [
                "key": .text(key(number)), "type": question.multiple ? "multiselect" : "string",
                "title": .text(question.header), "description": .text(question.question),
                "options": .list(
                    question.options.map {
                        ["value": .text($0.label), "label": .text($0.label), "description": .text($0.description)]
                    }),
                "custom": .yes(question.custom),
            ]
        }
        return [
            "id": .text(request.id), "sessionID": .text(request.sessionID), "title": "Questions",
            "metadata": [
                "kind": "question",
                "tool": ["messageID": .text(request.tool.messageID), "id": .text(request.tool.callID)],
            ],
            "fields": .list(fields),
        ]
    }

    /// What was answered, by field.
    static func answer(_ answers: [[String]]) -> Shape {
        let values = answers.enumerated().compactMap { number, chosen -> (String, Shape)? in
            chosen.isEmpty ? nil : (key(number), .list(chosen.map(Shape.text)))
        }
        return .object(Dictionary(uniqueKeysWithValues: values))
    }

    /// The labels chosen for each question; throws for what the form does not take.
    static func answers(_ values: [String: Shape], to request: QuestionRequest) throws(APIError) -> [[String]] {
        let known = request.questions.indices.map(key)
        if let odd = values.keys.first(where: { !known.contains($0) }) {
            throw .badAnswer(request.id, "Unknown form field: \(odd)")
        }
        var answers: [[String]] = []
        for (number, question) in request.questions.enumerated() {
            let chosen = try texts(values[key(number)], of: key(number), question.multiple, request.id)
            let labels = question.options.map(\.label)
            guard question.custom || chosen.allSatisfy(labels.contains) else {
                throw .badAnswer(request.id, "Invalid option for form field: \(key(number))")
            }
            answers.append(chosen)
        }
        return answers
    }

    private static func texts(
        _ value: Shape?, of field: String, _ isMultiple: Bool, _ form: String
    ) throws(APIError) -> [String] {
        switch (value, isMultiple) {
        case (nil, _): return []
        case (.text(let text), false): return [text]
        case (.list(let items), true):
            return try items.map { (item) throws(APIError) in
                guard case .text(let text) = item else { throw .badAnswer(form, "Expected string array: \(field)") }
                return text
            }
        case (_, false): throw .badAnswer(form, "Expected string for form field: \(field)")
        case (_, true): throw .badAnswer(form, "Expected string array for form field: \(field)")
        }
    }

    private static func key(_ number: Int) -> String { "q\(number)" }

    private static func source(_ tool: ToolPlace) -> Shape {
        ["type": "tool", "messageID": .text(tool.messageID), "id": .text(tool.callID)]
    }
}
