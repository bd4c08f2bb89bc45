import Chance

extension SplitMix {
    /// 0 up to, not including, `bound`.
    mutating func below(_ bound: UInt64) -> UInt64 { bound == 0 ? 0 : next() % bound }

    /// True so many times in a hundred.
    mutating func chance(_ percent: UInt64) -> Bool { below(100) < percent }

    /// Any of them.
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[Int(below(UInt64(elements.count)))] }

    /// Up to so many milliseconds.
    mutating func milliseconds(_ bound: UInt64) -> Duration { .microseconds(Int64(below(bound * 1_000))) }
}
