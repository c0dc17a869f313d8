/// What a loss of power may catch half done.
package enum Unsynced: Equatable {
    /// A file has grown.
    case length
    /// What the platter has, and what was to be written.
    case sector(old: ArraySlice<UInt8>, new: ArraySlice<UInt8>)
    /// A file was made, renamed or removed.
    case name
}

/// What became of it.
package enum Fate: Equatable {
    case old, new
    /// Of a sector alone: as many bytes as it has.
    case garbage([UInt8])
}
