extension Unicode.Scalar {
    /// Moves a terminal's cursor, colours it, turns its text around, or is not seen at all, as fillers and variation selectors
    /// are: two texts that look the same would not be. What strangers have sent is shown without it.
    var isUnseen: Bool {
        if isASCII { return value < 0x20 || value == 0x7f }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return properties.isDefaultIgnorableCodePoint
        }
    }
}
