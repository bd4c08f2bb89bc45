public import Wire

/// Why bytes are no plan.
public enum PlanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Above `Plan.encodedLimit`.
    case tooLarge(bytes: Int)
    /// Does not begin as a plan does.
    case notAPlan
    /// Written by another version of nexus-config.
    case version(UInt16)
    /// The body is not what was written.
    case checksum
    /// The body does not decode, although its checksum is right.
    case damaged(ByteError)
    /// It decodes, but breaks a rule of plans; the sentence says which.
    case invalid(String)
    /// A reload would need more numbers than a life of nexusd has.
    case numbersUsedUp(String)

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .tooLarge(let bytes):
            "the plan has \(bytes) byte\(bytes == 1 ? "" : "s"); at most \(Plan.encodedLimit) are taken"
        case .notAPlan: "this is not a plan made by nexus-config"
        case .version(let version):
            "the plan has format version \(version), this nexusd reads \(Plan.encodingVersion); make it anew with the"
                + " nexus-config of the same build"
        case .checksum: "the plan is damaged: its checksum does not match; make it anew with nexus-config"
        case .damaged(let error): "the plan is damaged at byte \(error.offset) of its body: \(error.problem)"
        case .invalid(let what): "the plan breaks a rule: \(what)"
        case .numbersUsedUp(let how): "the numbers are used up (\(how)); restart nexusd for this file"
        }
    }
}
