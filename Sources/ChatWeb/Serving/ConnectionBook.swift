import Chat

/// Who has how many connections, and which of them go when there are too many. Pure.
///
/// Nobody is turned away at the door: who comes is let in, and the oldest connection of whoever has the most goes. So a
/// stranger who opens hundreds closes his own, and a device that comes meanwhile has the time of one request to show its
/// token; from then on strangers take no place of its.
struct ConnectionBook: Sendable {
    /// Connections of strangers, all together.
    static let strangerLimit = 128
    /// Connections of one stranger.
    static let perStranger = 32
    /// Connections of devices, all together.
    static let deviceLimit = 384
    /// Connections of one device.
    static let perDevice = 32

    private enum Holder: Hashable {
        case stranger(AddressGroup)
        /// cloudflared's own, while nobody's request is on it.
        case pool
        case device(DeviceID)

        var isDevice: Bool {
            switch self {
            case .device: true
            case .stranger, .pool: false
            }
        }
    }
    private var last = 0
    private var holders: [Int: Holder] = [:]

    init() {}

    /// A new connection's number, and those that go for it. Without a group: cloudflared's.
    mutating func enter(_ group: AddressGroup?) -> (number: Int, leaving: [Int]) {
        last += 1
        return (last, give(last, to: group.map { .stranger($0) } ?? .pool))
    }

    /// A connection is now used by somebody of that address, or by nobody; those that go for it.
    mutating func use(_ number: Int, by group: AddressGroup?) -> [Int] {
        guard holders[number] != nil else { return [] }
        return give(number, to: group.map { .stranger($0) } ?? .pool)
    }

    /// A connection is a device's; those that go for it.
    mutating func use(_ number: Int, by device: DeviceID) -> [Int] {
        guard holders[number] != nil else { return [] }
        return give(number, to: .device(device))
    }

    /// A connection is over.
    mutating func leave(_ number: Int) { holders[number] = nil }

    /// Those of strangers, and of devices.
    var counts: (strangers: Int, devices: Int) {
        let devices = holders.values.count(where: \.isDevice)
        return (holders.count - devices, devices)
    }

    private mutating func give(_ number: Int, to holder: Holder) -> [Int] {
        guard holders[number] != holder else { return [] }
        holders[number] = holder
        var leaving: [Int] = []
        switch holder {
        case .stranger: leaving += oldest(of: holder, above: Self.perStranger)
        case .device: leaving += oldest(of: holder, above: Self.perDevice)
        case .pool: break
        }
        for number in leaving { holders[number] = nil }
        let limit = holder.isDevice ? Self.deviceLimit : Self.strangerLimit
        while let victim = victim(among: holder.isDevice, above: limit) {
            holders[victim] = nil
            leaving.append(victim)
        }
        return leaving
    }

    private func oldest(of holder: Holder, above limit: Int) -> [Int] {
        let numbers = holders.filter { $0.value == holder }.keys
        return numbers.count > limit ? Array(numbers.sorted().prefix(numbers.count - limit)) : []
    }

    /// The oldest of whoever has the most.
    private func victim(among isDevice: Bool, above limit: Int) -> Int? {
        let all = holders.filter { $0.value.isDevice == isDevice }
        guard all.count > limit else { return nil }
        let byHolder = Dictionary(grouping: all.keys) { all[$0] }
        let most = byHolder.values.map { (count: $0.count, oldest: $0.min() ?? 0) }
            .max { ($0.count, -$0.oldest) < ($1.count, -$1.oldest) }
        return most?.oldest
    }
}
