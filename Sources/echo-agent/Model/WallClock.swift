import Foundation

/// The time as opencode's API has it.
enum WallClock {
    /// Milliseconds since 1970.
    static var milliseconds: UInt64 { UInt64(Date().timeIntervalSince1970 * 1000) }
}
