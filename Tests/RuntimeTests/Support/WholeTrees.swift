import Testing

/// Everything here runs a real nexusd and waits for it on the test's own thread. One at a time: a machine with two cores
/// has two such threads, and the tests that need neither processes nor waiting run on the other.
@Suite(.serialized) struct WholeTrees {}
