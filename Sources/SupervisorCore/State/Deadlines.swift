/// The next deadline of each of a fixed number of slots, the earliest at hand: an indexed binary heap.
/// Setting, clearing and taking cost O(log n); slots with the same instant come out in the order of their numbers.
struct Deadlines: Sendable {
    /// Slots in heap order.
    private var heap: [Int32] = []
    /// Where a slot stands in the heap; -1: it has no deadline.
    private var places: [Int32]
    private var instants: [Instant]

    /// `slots` are numbered from 0.
    init(slots: Int) {
        places = Array(repeating: -1, count: slots)
        instants = Array(repeating: .distantFuture, count: slots)
    }

    /// The earliest deadline.
    var first: Instant? { heap.first.map { instants[Int($0)] } }

    /// The deadline of a slot, if it has one.
    func instant(of slot: Int) -> Instant? { places[slot] >= 0 ? instants[slot] : nil }

    /// Gives a slot its deadline, or none.
    mutating func set(_ slot: Int, _ instant: Instant?) {
        let place = Int(places[slot])
        guard let instant else {
            if place >= 0 { remove(at: place) }
            return
        }
        if place >= 0, instants[slot] == instant { return }
        instants[slot] = instant
        if place >= 0 {
            rise(from: sink(from: place))
        } else {
            heap.append(Int32(slot))
            places[slot] = Int32(heap.count - 1)
            rise(from: heap.count - 1)
        }
    }

    /// Takes the earliest slot whose deadline is not after `now`.
    mutating func takeDue(at now: Instant) -> Int? {
        guard let slot = heap.first, instants[Int(slot)] <= now else { return nil }
        remove(at: 0)
        return Int(slot)
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        let (a, b) = (heap[left], heap[right])
        let (first, second) = (instants[Int(a)], instants[Int(b)])
        return first == second ? a < b : first < second
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        places[Int(heap[left])] = Int32(left)
        places[Int(heap[right])] = Int32(right)
    }

    private mutating func remove(at place: Int) {
        let last = heap.count - 1
        if place != last { exchange(place, last) }
        places[Int(heap.removeLast())] = -1
        if place != last { rise(from: sink(from: place)) }
    }

    private mutating func rise(from place: Int) {
        var place = place
        while place > 0 {
            let parent = (place - 1) / 2
            guard precedes(place, parent) else { return }
            exchange(place, parent)
            place = parent
        }
    }

    private mutating func sink(from place: Int) -> Int {
        var place = place
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && precedes(child, least) {
                least = child
            }
            if least == place { return place }
            exchange(place, least)
            place = least
        }
    }
}
