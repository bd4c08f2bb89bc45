import ArgumentParser

/// A command of several words: what follows its name is the name of a member, and no word of its own.
protocol CommandFamily: ParsableCommand {}
