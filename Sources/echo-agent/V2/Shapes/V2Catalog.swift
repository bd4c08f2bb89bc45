/// What there is to choose from, as 2.x has it.
enum V2Catalog {
    static func agents() -> Shape {
        .list(
            Catalog.agents.map { agent in
                [
                    "id": .text(agent.name), "name": .text(agent.name), "description": .text(agent.description),
                    "mode": .text(agent.mode), "hidden": false, "permissions": [],
                    "request": ["settings": [:], "headers": [:], "body": [:]],
                ]
            })
    }

    static func models() -> [Shape] {
        Catalog.Provider().models.values.sorted { $0.id < $1.id }.map(model)
    }

    private static func model(_ model: Catalog.Model) -> Shape {
        [
            "id": .text(model.id), "modelID": .text(model.id), "providerID": .text(model.providerID),
            "name": .text(model.name),
            "capabilities": ["tools": false, "input": ["text"], "output": ["text"]],
            "variants": [], "time": ["released": 0],
            "cost": [
                [
                    "input": .number(model.cost.input), "output": .number(model.cost.output),
                    "cache": ["read": 0, "write": 0],
                ]
            ],
            "status": "active", "enabled": true,
            "limit": [
                "context": .number(Double(model.limit.context)), "output": .number(Double(model.limit.output)),
            ],
        ]
    }

    static func providers() -> Shape {
        let provider = Catalog.Provider()
        return [
            ["id": .text(provider.id), "name": .text(provider.name), "activation": "enabled", "package": "echo-agent"]
        ]
    }
}
