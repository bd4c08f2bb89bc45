/// First in, first out, in one array: elements leave at a moving head, and the room before it is given back in bulk.
struct FIFO<Element> {
    private var items: [Element?] = []
    private var head = 0

    var isEmpty: Bool { head == items.count }
    var count: Int { items.count - head }
    var first: Element? { isEmpty ? nil : items[head] }

    mutating func append(_ element: Element) { items.append(element) }

    @discardableResult
    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = items[head].take()
        head += 1
        if head == items.count {
            // An idle queue holds no memory to speak of.
            items.removeAll(keepingCapacity: items.capacity <= 64)
            head = 0
        } else if head >= 64, head * 2 >= items.count {
            items.removeSubrange(..<head)
            head = 0
        }
        return element
    }

    /// Calls `body` from the first to the last until it returns false; true when it came to the end.
    @discardableResult
    func scan(_ body: (Element) -> Bool) -> Bool {
        for index in head..<items.count {
            guard let element = items[index], body(element) else { return false }
        }
        return true
    }

    /// Takes out what matches; costs a pass over all.
    mutating func remove(where matches: (Element) -> Bool) -> [Element] {
        var removed: [Element] = []
        items.removeSubrange(..<head)
        head = 0
        items.removeAll { item in
            guard let item, matches(item) else { return false }
            removed.append(item)
            return true
        }
        return removed
    }
}

extension FIFO: Sendable where Element: Sendable {}
