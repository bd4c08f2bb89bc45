/// A turn as a list of steps, by the rules of the prompts that docs/agent.md lists.
struct Script: Sendable {
    let steps: [Step]

    /// Longest silence of `/stall N` in seconds.
    static let stallLimit = 3600

    /// These steps.
    init(steps: [Step]) { self.steps = steps }

    /// Words with a meaning of their own, in the order of the prompt, then the answer in text, said as that agent.
    init(to prompt: Prompt, as agent: String) {
        var steps: [Step] = []
        let words = prompt.text.split(whereSeparator: \.isWhitespace).map(String.init)
        for (place, word) in words.enumerated() {
            steps += Self.steps(for: word, number: place + 1 < words.count ? Int(words[place + 1]) : nil)
        }
        let answer = Answer(to: prompt.text, attachments: prompt.attachments)
        let isLoud = agent == Catalog.capitals
        steps.append(.say(isLoud ? answer.words.map { $0.uppercased() } : answer.words, slow: answer.slowWords))
        self.steps = steps
    }

    private static func steps(for word: String, number: Int?) -> [Step] {
        switch word {
        case "/reasoning": [.think(["Somebody ", "wants ", "to ", "see ", "me ", "think."])]
        case "/tool": [.use(list)]
        case "/permission": [.use(remove)]
        case "/question": [.use(choose)]
        case "/subagent": [.use(delegate)]
        case "/stall": [.stall(.seconds(min(max(number ?? 60, 1), stallLimit)))]
        case "/crash":
            [.say(["These ", "are ", "my ", "last ", "words "], slow: 0), .stall(.milliseconds(300)), .crash]
        case "/error":
            [.fail(.provider(status: 500, "the model broke down (as you asked)", isRetryable: false))]
        case "/401": [.fail(.login("the key was refused with status 401 (as you asked)"))]
        case "/429": [.retry(attempts: 2, message: "rate limited with status 429 (as you asked)")]
        case "/todo": [.plan]
        case "/diff": [.change]
        case _: []
        }
    }

    private static let list = Step.ToolUse(
        name: "bash", input: ["command": "ls", "description": "Lists files"], title: "Lists files",
        output: ["notes.txt\n", "plan.md\n"])

    private static let remove = Step.ToolUse(
        name: "bash", input: ["command": "rm -rf build", "description": "Removes what was built"],
        title: "Removes what was built", output: ["nothing was removed: I only repeat what you write\n"],
        ask: .permission("bash", patterns: ["rm -rf build"], always: ["rm *"]))

    private static let delegate = Step.ToolUse(
        name: "task", input: ["description": "Looks around", "prompt": "Look around"], title: "Looks around",
        output: ["there is nothing to see\n"],
        ask: .permission("external_directory", patterns: ["/srv/elsewhere/*"], always: ["/srv/elsewhere/*"]),
        inChild: true)

    private static let choose = Step.ToolUse(
        name: "question", input: ["about": "storage"], title: "Asked 2 questions", output: [],
        ask: .questions([
            .init(
                question: "Which database?", header: "Database",
                options: [
                    .init(label: "SQLite", description: "one file"), .init(label: "Postgres", description: "a server"),
                ], multiple: false, custom: false),
            .init(
                question: "Which colours?", header: "Colours",
                options: [
                    .init(label: "red", description: "warm"), .init(label: "blue", description: "cold"),
                    .init(label: "green", description: "between"),
                ], multiple: true, custom: true),
        ]))
}
