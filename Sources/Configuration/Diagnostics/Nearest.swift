import Wire

/// One rule of nearness for files, commands and requests.
typealias Nearest = Wire.Nearest
