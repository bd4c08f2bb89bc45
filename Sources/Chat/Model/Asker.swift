/// Who asks for something.
public enum Asker: Hashable, Sendable {
    /// A device that was paired. Two may have one name.
    case device(DeviceID, name: String)
    /// A program of this machine, by the name that it gave itself.
    case program(String)

    /// As people know it.
    public var name: String {
        switch self {
        case .device(_, let name), .program(let name): name
        }
    }
}
